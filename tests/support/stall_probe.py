"""Run as a program: serves turns on an event loop and measures the loop's worst stall.

It reads `{"activity": ..., "authorization": ...}` from standard input, and prints
`{"statuses": [...], "worst_stall": seconds}`.
"""

import asyncio
import json
import sys
import time

from cloud_adapter.turn_request import TurnRequest
from function_app import composed


class Heartbeat:
    """Wakes every millisecond and keeps the longest time that it had to wait beyond that."""

    BEAT = 0.001

    def __init__(self) -> None:
        self.worst = 0.0

    async def beat(self) -> None:
        """Until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(self.BEAT)
            self.worst = max(self.worst, time.perf_counter() - before - self.BEAT)


async def main() -> None:
    """Sixteen turns at once on a cold bot, then forty one after the other."""
    asked = json.load(sys.stdin)
    request = TurnRequest(
        "application/json", asked["authorization"], json.dumps(asked["activity"]).encode()
    )
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat())
    await asyncio.sleep(0)
    parts = composed()
    cold = [parts.adapter.process(request, parts.bot) for _ in range(16)]
    responses = await asyncio.gather(*cold)
    responses += [await parts.adapter.process(request, parts.bot) for _ in range(40)]
    beating.cancel()
    print(
        json.dumps(
            {
                "statuses": [response.status for response in responses],
                "worst_stall": heartbeat.worst,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
