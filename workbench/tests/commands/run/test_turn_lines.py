"""The terminal's lines: one a turn, aligned, without users' words, and never a flood."""

import io
import re
from typing import Any

import pytest

from bot_workbench.commands.run.turn_line import rest_line, turn_line
from bot_workbench.commands.run.turn_lines import MAX_LINES, TurnLines
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_log import TurnLog
from tests.support.timing.condition import comes_true

SECRET = "my password is hunter2"  # no secret


def ended(status: int = 200, kind: str = "channel", **activity: Any) -> Turn:
    """A turn that took 57 ms."""
    turn = Turn("id", 1, 1000.0, kind)
    turn.describe({"type": "message", "conversation": {"id": "c"}, **activity})
    turn.status = status
    turn.progress.answered(1000.0571, ok=status < 300, accepted=status == 202)
    return turn


def line(turn: Turn) -> str:
    """The line, without its time."""
    return turn_line(turn, colors=False)[10:]


def test_a_message() -> None:
    """Kind, text length, status, time and calls."""
    turn = ended(text="hello")
    turn.add("exchanges", {"status": 201})
    assert re.split(r"\s{2,}", line(turn)) == ["message", "5 characters", "200", "57 ms", "1 call"]
    turn.add("exchanges", {"status": 201})
    assert line(turn).endswith("2 calls")
    assert re.match(r"\d\d:\d\d:\d\d  message ", turn_line(turn, colors=False))


def test_lines_are_aligned() -> None:
    """The columns of all lines begin and end at the same places."""
    turns = [
        ended(text="x" * 12_345),
        ended(text="x"),
        ended(type="invoke", name="composeExtension/querySettingUrl", status=501),
        ended(type="event", name="a" * 100),
        ended(kind="proactive", text="news"),
    ]
    assert len({line(turn).index(" ms") for turn in turns}) == 1
    assert all(len(line(turn)) < 100 for turn in turns)


def test_an_unhandled_invoke() -> None:
    """Its line says what to write."""
    turn = ended(501, type="invoke", name="task/fetch")
    turn.fail("The bot answered 501.")
    turn.hint = "Nothing handles task/fetch: write x"
    assert re.split(r"\s{2,}", line(turn)) == [
        *("task/fetch", "501", "57 ms", "Nothing handles task/fetch: write x"),
    ]


def test_a_failure_behind_a_200() -> None:
    """The bot failed, though the channel saw 200: the line says so, and where."""
    turn = ended(text="hello")
    turn.progress.run_ended(1, 1000.05, failed=True)
    turn.fail("bot_logic/bot.py:12 ValueError: hunter2", "bot_logic/bot.py:12 ValueError")
    assert re.split(r"\s{2,}", line(turn)) == [
        *("message", "5 characters", "failed", "57 ms", "bot_logic/bot.py:12 ValueError"),
    ]


def test_other_kinds() -> None:
    """Functions, proactive messages, updates and replays are named for what they are."""
    tick = Turn("id", 1, 1000.0, "function", function="tick")
    tick.progress.run_started(1)
    tick.progress.run_ended(1, 1000.0123, failed=False)
    assert re.split(r"\s{2,}", line(tick)) == ["function tick", "done", "12 ms"]
    assert line(ended(kind="proactive", text="news")).startswith("proactive message ")
    update = ended(type="conversationUpdate", membersAdded=[{"id": "u"}])
    assert line(update).startswith("conversationUpdate membersAdded ")
    again = ended(text="hello")
    again.replay_of = "other"
    assert line(again).startswith("message (again) ")


def test_what_users_write_is_not_printed() -> None:
    """Nothing of an activity's content is in the line, and a name cannot change the terminal."""
    content: dict[str, Any] = {
        "text": SECRET,
        "value": {"text": SECRET},
        "from": {"id": SECRET, "name": SECRET},
        "attachments": [{"content": SECRET}],
        "conversation": {"id": SECRET, "name": SECRET},
    }
    for colors in (True, False):
        assert "hunter2" not in turn_line(ended(**content), colors=colors)
    assert "\x1b" not in line(ended(type="event", name="\x1b[2J\rlogin"))


def test_colors() -> None:
    """They mark what failed, and change nothing else."""
    assert "\x1b[31m" in turn_line(ended(500), colors=True)
    assert "\x1b[31m" not in turn_line(ended(), colors=True)
    assert "\x1b" not in turn_line(ended(500), colors=False)
    plain = re.sub(r"\x1b\[\d+m", "", turn_line(ended(500), colors=True))
    assert plain.rstrip() == turn_line(ended(500), colors=False)


def test_the_rest() -> None:
    """Turns without a line are counted by outcome."""
    assert rest_line({"failed": 2, "done": 340}).strip() == "342 more turns: 340 done, 2 failed"


@pytest.fixture
async def log() -> TurnLog:
    return TurnLog()


@pytest.fixture
async def terminal(log: TurnLog) -> io.StringIO:
    """Gets the lines of the log's turns."""
    terminal = io.StringIO()
    log.listeners.append(TurnLines(terminal, colors=False))
    return terminal


def end(log: TurnLog, turn_id: str, status: int = 200) -> Turn:
    """A delivery that is answered at once."""
    turn = log.start(turn_id, "channel")
    turn.describe({"type": "message", "text": "hello"})
    turn.progress.sent()
    log.changed(turn)
    turn.status = status
    turn.progress.answered(log.clock(), ok=status < 300, accepted=status == 202)
    log.changed(turn)
    return turn


def lines(terminal: io.StringIO) -> list[str]:
    """The output."""
    return terminal.getvalue().splitlines()


async def test_one_line_a_turn(log: TurnLog, terminal: io.StringIO) -> None:
    """A turn has one line, however often its row changes, and a later report is in it."""
    turn = end(log, "1")
    turn.progress.run_ended(1, log.clock(), failed=True)
    turn.fail("bot.py:1 ValueError")
    log.changed(turn)
    await comes_true(lambda: bool(lines(terminal)))
    log.changed(turn)
    end(log, "2")
    await comes_true(lambda: len(lines(terminal)) >= 2)
    assert len(lines(terminal)) == 2
    assert lines(terminal)[0].endswith("bot.py:1 ValueError")


async def test_reports_that_come_late(log: TurnLog, terminal: io.StringIO) -> None:
    """A failure that is reported after the turn's line has its own; anything else has none."""
    turns = [end(log, "1"), end(log, "2"), end(log, "3", 501)]
    turns[2].fail("The bot answered 501.")
    log.changed(turns[2])
    await comes_true(lambda: len(lines(terminal)) == 3)
    for turn in turns:
        turn.retry()  # as at the start of a run
        turn.progress.run_started(1)
        log.changed(turn)
        turn.progress.run_ended(1, log.clock(), failed=turn.id == "2")
        turn.fail("bot.py:1 ValueError" if turn.id == "2" else "")
        log.changed(turn)
    end(log, "4")
    await comes_true(lambda: len(lines(terminal)) >= 5)
    assert [line.split()[4] for line in lines(terminal)] == ["200", "200", "501", "failed", "200"]
    assert lines(terminal)[3].endswith("bot.py:1 ValueError")


async def test_a_turn_that_runs_on(log: TurnLog, terminal: io.StringIO) -> None:
    """A turn that still runs when the channel has its answer has no line before it has ended."""
    turn = end(log, "1")
    turn.progress.run_started(1)
    log.changed(turn)
    end(log, "2", 500)
    await comes_true(lambda: len(lines(terminal)) == 1)
    turn.progress.run_ended(1, log.clock(), failed=False)
    log.changed(turn)
    await comes_true(lambda: len(lines(terminal)) == 2)
    assert [line.split()[4] for line in lines(terminal)] == ["500", "200"]


async def test_a_queued_turn(log: TurnLog, terminal: io.StringIO) -> None:
    """A queued turn has its line when it has run, and another one if it runs again."""
    turn = end(log, "1", 202)
    turn.kind = "queued"
    for failed in (True, False):
        turn.progress.run_started(1)
        log.changed(turn)
        turn.progress.run_ended(1, log.clock(), failed=failed)
        log.changed(turn)
        count = 1 if failed else 2
        await comes_true(lambda count=count: len(lines(terminal)) == count)  # type: ignore[misc]
    assert [line.split()[4] for line in lines(terminal)] == ["failed", "done"]


async def test_a_turn_that_stays_in_the_queue(log: TurnLog, terminal: io.StringIO) -> None:
    """A queued turn that nothing runs has a line that says so, and its own line when it has run."""
    turn = end(log, "1", 202)
    turn.kind = "queued"
    await comes_true(lambda: len(lines(terminal)) == 1)
    turn.progress.run_started(1)
    turn.progress.run_ended(1, log.clock(), failed=False)
    log.changed(turn)
    await comes_true(lambda: len(lines(terminal)) == 2)
    assert [line.split()[4] for line in lines(terminal)] == ["queued", "done"]


async def test_functions_that_dispatch(log: TurnLog, terminal: io.StringIO) -> None:
    """The base's queue functions have a line only if they fail: their work has lines of its own."""
    for function, failed in (("turns", False), ("notifications", True), ("tick", False)):
        turn = log.start(function, "function")
        turn.function = function
        turn.progress.run_started(1)
        turn.progress.run_ended(1, log.clock(), failed=failed)
        log.changed(turn)
    await comes_true(lambda: len(lines(terminal)) == 2)
    printed = [line.split()[2:4] for line in lines(terminal)]
    assert printed == [["notifications", "failed"], ["tick", "done"]]


async def test_many_turns(log: TurnLog, terminal: io.StringIO) -> None:
    """Of many turns in a second, the first have lines, and the rest is counted."""
    for number in range(500):
        end(log, str(number))
    await comes_true(lambda: "more turns" in terminal.getvalue())
    printed = lines(terminal)
    assert len(printed) <= 3 * (MAX_LINES + 1)
    counted = sum(int(found) for found in re.findall(r"(\d+) more turns", terminal.getvalue()))
    assert counted + len([line for line in printed if "more turns" not in line]) == 500
    end(log, "later")
    await comes_true(lambda: len(lines(terminal)) > len(printed))
