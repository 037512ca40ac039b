"""Run as a program: serves turns on an event loop and measures the loop's worst stalls.

Its argument names the event loop, uvloop or asyncio.

It reads `{"activity": ..., "authorization": ..., "check_every": seconds}` as one line from standard
input, and prints `{"statuses": [...], "worst_stall": seconds}` for a cold start. Then it serves
turns until standard input has a second line, and prints the same of them.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path

from auth.certificates import versions as certificate_versions
from auth.settings import Settings
from cloud_adapter.adapter import TurnRequest, TurnResponse
from composition import Composition, Parts
from tests.support.test_bot import create_bot

PAUSE = 0.005
"""Seconds between two turns."""


class Heartbeat:
    """Wakes every millisecond and keeps the longest time that the loop let it wait beyond that.

    Time in which the machine had no core for the loop's thread is not the loop's fault: Linux
    counts it, and it is left out.
    """

    BEAT = 0.001

    def __init__(self) -> None:
        self.worst = 0.0
        self._queue = _RunQueue()

    async def beat(self) -> None:
        """Until cancelled."""
        while True:
            before, queued = time.perf_counter(), self._queue.waited()
            await asyncio.sleep(self.BEAT)
            late = time.perf_counter() - before - self.BEAT
            self.worst = max(self.worst, late - (self._queue.waited() - queued))


class _RunQueue:
    """The time for which this thread was ready to run and had no core (Linux, sched-stats: second
    field)."""

    def __init__(self) -> None:
        path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._file = os.open(path, os.O_RDONLY) if path.exists() else None

    def waited(self) -> float:
        """Seconds so far; 0 where nobody counts them."""
        if self._file is None:
            return 0.0
        return int(os.pread(self._file, 100, 0).split()[1]) / 1e9


async def measured(parts: Parts, request: TurnRequest, end: asyncio.Future[str] | None) -> str:
    """What a cold start, or turns until `end`, did to the loop."""
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat())
    await asyncio.sleep(0)
    if end is None:
        responses = await _cold_start(parts, request)
    else:
        responses = await _turns(parts, request, end)
    beating.cancel()
    statuses = [response.status for response in responses]
    return json.dumps({"statuses": statuses, "worst_stall": heartbeat.worst})


async def _cold_start(parts: Parts, request: TurnRequest) -> list[TurnResponse]:
    """Sixteen turns at once, then forty one after the other."""
    cold = [parts.adapter.process(request, parts.bot) for _ in range(16)]
    responses = await asyncio.gather(*cold)
    return responses + [await parts.adapter.process(request, parts.bot) for _ in range(40)]


async def _turns(
    parts: Parts, request: TurnRequest, end: asyncio.Future[str]
) -> list[TurnResponse]:
    responses: list[TurnResponse] = []
    while not end.done():
        responses.append(await parts.adapter.process(request, parts.bot))
        await asyncio.sleep(PAUSE)
    return responses


async def main() -> None:
    """A cold start, then turns until somebody says that it is enough."""
    asked = json.loads(sys.stdin.readline())
    certificate_versions.CHECK_INTERVAL_SECONDS = asked["check_every"]
    request = TurnRequest(
        "application/json", asked["authorization"], json.dumps(asked["activity"]).encode()
    )
    app = Composition(lambda: Settings.from_environ(os.environ), os.environ, create_bot)
    parts = await app.ready()
    print(await measured(parts, request, None), flush=True)
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(await measured(parts, request, end), flush=True)
    await parts.close()


if __name__ == "__main__":
    if sys.argv[1] == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
