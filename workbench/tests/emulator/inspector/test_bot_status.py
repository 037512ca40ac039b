"""BotStatus: whoever waits for the bot goes on when code of the bot answers."""

import asyncio

import pytest

from bot_workbench.emulator.inspector.bot_status import STATES, BotStatus
from tests.support.timing.condition import comes_true


@pytest.mark.parametrize(
    ("states", "answers"),
    [
        ([], False),
        (["starting"], False),
        (["starting", "loading"], False),
        (["starting", "loading", "ready"], True),
        (["ready", "loading"], True),
        (["ready", "loading", "broken"], True),
        (["starting", "broken"], False),
        (["starting", "broken", "loading", "ready"], True),
        (["ready", "stopped"], False),
        (["ready", "stopped", "starting"], False),
    ],
)
def test_answers(states: list[str], answers: bool) -> None:
    """While code loads or is broken, the code before it answers, if there is any."""
    status = BotStatus()
    for state in states:
        status.set(state)
    assert status.answers is answers
    assert status.as_json()["answers"] is answers


async def test_ready() -> None:
    """Waiting ends at the first `ready`, and after a stop there is something to wait for again."""
    status = BotStatus()
    waiting = asyncio.create_task(status.ready())
    status.set("broken", "bot.py:1 SyntaxError")
    await asyncio.sleep(0)
    assert not waiting.done()
    status.set("ready")
    await comes_true(waiting.done)
    await status.ready()
    status.set("stopped")
    again = asyncio.create_task(status.ready())
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()


def test_a_report() -> None:
    """A report has the last reload's time and files; listeners are called."""
    status, heard = BotStatus(), []
    status.listen(lambda: heard.append(status.state))
    report = {"state": "ready", "text": "", "generation": 3, "ms": 420.5, "files": ["bot.py"]}
    status.report(report)
    assert status.as_json() == {**report, "answers": True, "blocked": ""}
    assert heard == ["ready"]


def test_blocked_processes() -> None:
    """What blocks one of them is reported until none is blocked; listeners are called."""
    status, heard = BotStatus(), []
    status.listen(lambda: heard.append(status.as_json()["blocked"]))
    for pid, place in [(1, "a"), (1, "a"), (2, "b"), (1, ""), (1, ""), (2, "c"), (2, "")]:
        status.set_blocked(pid, place)
    assert heard == ["a", "a", "b", "c", ""]


@pytest.mark.parametrize("state", [None, 3, [], {}, "happy"])
def test_no_state(state: object) -> None:
    """What names no known state is no report."""
    status = BotStatus()
    status.report({"state": state})
    assert status.state == "unknown"
    assert "unknown" in STATES
