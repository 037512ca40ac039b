"""A developer saves the bot's code while people talk to it."""

import statistics
import time
from pathlib import Path

import pytest

from tests.runs.reload.conftest import StartTalk, Talk
from tests.support.program import is_running
from tests.support.reload.versions import bot_of
from tests.support.timing.condition import comes_true

SAVES = 20
BROKEN = 7
"""The number of the save that does not load."""

SETTLED = 5
"""After so many saves, the host has allocated what it needs."""

MAX_GROWTH_BYTES = 16 * 1024 * 1024
IDLE_POLLS = 15
MAX_MEDIAN_SECONDS = 1.0


def memory(pid: int) -> int:
    """The bytes of memory that a process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def spare_is_idle(talk: Talk) -> None:
    """Wait until the spare worker has nothing left to import, as it is when a person saves."""
    seen: list[list[str]] = []

    def is_idle() -> bool:
        seen.append([used_time(pid) for pid in sorted(talk.app.processes)])
        return len(seen[-1]) == 2 and len(seen) > IDLE_POLLS and seen[-IDLE_POLLS] == seen[-1]

    await comes_true(is_idle)


def used_time(pid: int) -> str:
    """The time that a process has used, in the kernel's units."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.read_text().split()[13] if stat.exists() else "ended"


async def test_twenty_saves(start_talk: StartTalk) -> None:
    """Each save's code answers, the conversation goes on, and nothing is left over."""
    async with start_talk() as talk:
        grown_from = 0
        for number in range(1, SAVES + 1):
            version = f"V{number + 1}"
            if number == BROKEN:
                talk.app.save("bot.py", bot_of(version) + "def (:\n")
                broken = await talk.app.reported("broken", 1)
                assert "bot_logic/bot.py:30 SyntaxError: invalid syntax" in broken["text"]
                version = f"V{number}"
            else:
                await talk.saved(version)
            assert await talk.reply("hello") == f"{version} {number} hello"
            if number == SETTLED:
                grown_from = memory(talk.app.pid)
        await comes_true(lambda: len(talk.app.processes) == 2)  # the worker and the spare one
        assert memory(talk.app.pid) < grown_from + MAX_GROWTH_BYTES
        assert talk.app.output.count("SyntaxError") == 1
        assert "Traceback" not in talk.app.output
        workers = talk.app.processes
    await comes_true(lambda: not any(is_running(pid) for pid in workers))


async def test_turn_that_runs_ends_first(start_talk: StartTalk) -> None:
    """The next turn of a conversation waits for the one that runs on old code, and counts on."""
    async with start_talk() as talk:
        waiting = talk.sending("wait")
        await comes_true(talk.held.exists)
        await talk.saved("V2")
        following = talk.sending("next")
        talk.go.touch()
        assert [await waiting, await following] == [200, 200]
        await comes_true(lambda: talk.user.texts() == ["V1 1 wait", "V2 2 next"])


async def test_hung_turn_is_cancelled(start_talk: StartTalk) -> None:
    """A turn that outlives the time for old code is cancelled, and gives its conversation back."""
    async with start_talk(options=("--retirement", "0.5")) as talk:
        waiting = talk.sending("wait")
        await comes_true(talk.held.exists)
        await talk.saved("V2")
        assert await waiting == 500
        await comes_true(lambda: len(talk.app.processes) == 2)
        assert await talk.reply("next") == "V2 1 next"
        assert "runs with old code after 0.5 s is cancelled" in talk.app.output


@pytest.mark.timed
async def test_time_from_save_to_answer(start_talk: StartTalk) -> None:
    """The median time from a save to the first answer of the new code is under a second."""
    times = []
    async with start_talk() as talk:
        for number in range(2, 12):
            await spare_is_idle(talk)
            started = time.perf_counter()
            talk.app.save("bot.py", bot_of(f"V{number}"))
            while not (await talk.reply("hello")).startswith(f"V{number} "):
                pass
            times.append(time.perf_counter() - started)
    median = statistics.median(times)
    print(f"from save to answer: median {median:.2f} s of {[f'{each:.2f}' for each in times]}")
    assert median < MAX_MEDIAN_SECONDS
