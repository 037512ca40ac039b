"""FeedEvents: what the bot's processes report becomes part of the rows, whatever its order."""

import itertools
import json
import random
from typing import Any

import pytest

from bot_workbench.emulator.inspector.bot_status import BotStatus
from bot_workbench.emulator.inspector.feed_events import FeedEvents
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import without_tokens
from bot_workbench.emulator.inspector.turns.turn_log import TurnLog

TURN = "0af7651916cd43dd8448eb211c80319c"
PID = 4711
CONVERSATION = {"id": "c1"}
ACTIVITY = {"type": "message", "id": "a1", "text": "count", "conversation": CONVERSATION}


class Feed:
    """Events of a worker, applied to a log."""

    def __init__(self) -> None:
        self.log = TurnLog()
        self.status = BotStatus()
        self.events = FeedEvents(self.log, self.status)

    def send(self, event: str, turn: Any = TURN, **fields: Any) -> None:
        self.events.handle({"event": event, "turn": turn, "role": "worker", "pid": PID, **fields})

    def row(self, turn_id: str = TURN) -> Turn:
        turn = self.log.find(turn_id)
        assert turn is not None
        return turn

    def details(self) -> dict[str, Any]:
        return self.row().details()


@pytest.fixture
def feed() -> Feed:
    return Feed()


def test_a_recorded_turn(feed: Feed) -> None:
    """Each kind of report has its place in the details, and is counted in the row."""
    call = {"id": "7", "method": "POST", "url": "https://localhost/v3/x", "purpose": "connector"}
    feed.send("turn_started", kind="queued", activity=ACTIVITY, function="turns", at=10.0)
    feed.send("claims", claims={"aud": "app"}, header={"alg": "RS256"}, verified=True)
    feed.send("check", name="issuer", outcome="passed", detail="")
    feed.send("state", op="read", key="bot-state/c1", before=None, after=None, at=10.1, ms=2.0)
    feed.send("state", op="write", key="bot-state/c1", before={"n": 1}, after={"n": 2}, at=10.2)
    feed.send("call", **call, attempt=1, status=429, at=10.3, ms=5.0, request={"text": "hi"})
    feed.send("call", **call, attempt=2, status=201, at=11.3, ms=10.0, response={"id": "1"})
    feed.send("log", level="ERROR", logger="bot", text="oh", at=11.4)
    feed.send("queue", step="drain", detail="c1", ms=20.0, at=10.0)
    feed.send("span", name="bot", ms=30.0, at=10.1)
    feed.send("turn_ended", ms=1500.0, outcome="done", status=None, error=None, at=11.5)
    details = feed.details()
    assert details["activity"] == ACTIVITY
    assert details["claims"] == {"aud": "app"}
    assert details["caller"]["verified"] is True
    assert [check["name"] for check in details["checks"]] == ["issuer"]
    assert [state["op"] for state in details["state"]] == ["read", "write"]
    (found,) = details["calls"]
    assert [attempt["status"] for attempt in found["attempts"]] == [429, 201]
    assert (found["request"], found["response"]) == ({"text": "hi"}, {"id": "1"})
    assert (found["at"], round(found["ms"])) == (10.3, 1010)
    assert details["queue"][0]["step"] == "drain"
    assert details["spans"][0]["name"] == "bot"
    expected = {
        "kind": "queued",
        "function": "turns",
        "text": "count",
        "calls": 1 if isinstance(details["calls"], int) else details["calls"],
        "attempts": 2,
        "errors": 2,
        "state_writes": 1,
        "outcome": "done",
        "ms": 1500.0,
        "detailed": True,
    }
    assert expected.items() <= details.items()
    assert feed.row().summary()["calls"] == 1


def test_a_streamed_response(feed: Feed) -> None:
    """What was read of it, and until when, is part of its call, and no further attempt."""
    feed.send("received", id="7", response="data: 1", at=12.5)
    feed.send("received", id="unknown", response="data: 2", at=12.5)
    feed.send("call", id="7", status=200, at=10.5, ms=100.0, response=None)
    feed.send("call", id="8", status=200, at=10.5, ms=100.0, response={"a": 1})
    streamed, other = feed.details()["calls"]
    assert (streamed["response"], streamed["ms"]) == ("data: 1", 2000.0)
    assert [each["ms"] for each in streamed["attempts"]] == [100.0]
    assert (other["response"], round(other["ms"])) == ({"a": 1}, 100)
    assert feed.row().summary()["attempts"] == 2


@pytest.mark.parametrize(
    ("purpose", "path", "status", "errors"),
    [
        ("storage", "/bot-state/c1", 404, 0),
        ("storage", "/bot-state/c1", 412, 0),
        ("storage", "/bot-state/c1", 403, 1),
        ("user token service", "/api/usertoken/GetToken?userId=...", 404, 0),
        ("user token service", "/api/usertoken/GetToken?userId=...", 401, 1),
        ("user token service", "/api/botsignin/GetSignInResource", 404, 1),
        ("connector", "/v3/conversations/c1/activities", 404, 1),
    ],
)
def test_statuses_that_callers_ask_for(
    feed: Feed, purpose: str, path: str, status: int, errors: int
) -> None:
    """A blob that is not there, and a user who has not signed in, are no errors of a turn."""
    url = f"https://localhost:1{path}"
    feed.send("turn_started", kind="channel", activity=ACTIVITY)
    feed.send("call", id="1", method="GET", url=url, purpose=purpose, status=status, at=1.0)
    assert feed.row().summary()["errors"] == errors


def test_role_and_process_id(feed: Feed) -> None:
    """Role and process id are the feed's own, and not part of a detail."""
    feed.send("log", level="INFO", logger="bot", text="hello")
    assert feed.details()["logs"] == [{"level": "INFO", "logger": "bot", "text": "hello"}]


def test_events_in_any_order(feed: Feed) -> None:
    """Whatever arrives first makes the row; once all is there, it is the same row."""
    steps: list[tuple[str, dict[str, Any]]] = [
        ("turn_started", {"kind": "proactive", "activity": ACTIVITY, "at": 10.0}),
        ("call", {"id": "1", "status": 201, "at": 10.1, "ms": 5.0}),
        ("log", {"level": "INFO", "text": "hello"}),
        ("turn_ended", {"outcome": "done", "at": 11.0}),
    ]
    for order in itertools.permutations(steps):
        feed = Feed()
        for event, fields in order:
            feed.send(event, **fields)
        (row,) = feed.log.turns
        found = (row.type, row.kind, row.outcome, row.calls, row.summary()["logs"])
        assert found == ("message", "proactive", "done", 1, 1), order


def test_a_start_that_is_reported_after_the_answer(feed: Feed) -> None:
    """What the channel knows of the turn stays."""
    row = feed.log.start(TURN, "channel")
    row.fail("The bot answered 501.")
    row.hint = "Nothing handles it"
    feed.send("turn_started", kind="channel", activity=ACTIVITY)
    assert (feed.row().error, feed.row().hint) == ("The bot answered 501.", "Nothing handles it")


def test_events_that_come_twice(feed: Feed) -> None:
    """A repeated start or end does not keep the row from being over."""
    for _ in range(2):
        feed.send("turn_started", kind="proactive", activity=ACTIVITY)
    for _ in range(2):
        feed.send("turn_ended", outcome="done")
    assert [row.outcome for row in feed.log.turns] == ["done"]


def test_an_error(feed: Feed) -> None:
    """An error has a traceback for this machine, and one as Azure's log would have it."""
    feed.send("turn_started", kind="channel", activity=ACTIVITY)
    feed.send("error", text="boom", where="bot.py:1", traceback="full", redacted="short", at=1.0)
    feed.send("turn_ended", outcome="failed", error="bot.py:1 ValueError", status=200)
    details = feed.details()
    assert details["traceback"] == {"local": "full", "redacted": "short"}
    assert (details["outcome"], details["error"]) == ("failed", "bot.py:1 ValueError")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("bot_logic/bot.py:12 ValueError: hunter2", "bot_logic/bot.py:12 ValueError"),
        (
            "my bot/bot.py:12 pkg.errors.MyError: at 10:30 hunter2",
            "my bot/bot.py:12 pkg.errors.MyError",
        ),
        ("ValueError: see bot.py:12 hunter2", "ValueError"),
        ("ValueError", "ValueError"),
        ("'hunter2'", "failed"),
        ("the process ended: hunter2", "failed"),
        ("", ""),
    ],
)
def test_the_cause_has_no_message(feed: Feed, error: str, cause: str) -> None:
    """Of an exception, the cause has the place and the class, not the message."""
    feed.send("turn_started", kind="channel", activity=ACTIVITY)
    feed.send("turn_ended", outcome="failed", error=error)
    assert (feed.row().error, feed.row().cause) == (error, cause)


def test_a_traceback_in_a_log_line(feed: Feed) -> None:
    """Without an error event, the last logged traceback is the turn's."""
    for text in ("first", "second"):
        feed.send("log", level="ERROR", text=text, traceback=text)
    assert feed.details()["traceback"] == {"local": "second", "redacted": None}


def test_a_queued_turn_that_is_tried_again(feed: Feed) -> None:
    """The row goes on with each attempt; its error is the last attempt's."""
    feed.send("turn_started", kind="channel", activity=ACTIVITY, function="messages")
    feed.send("turn_ended", outcome="done", status=202)
    assert feed.row().outcome == "queued"
    feed.send("turn_started", kind="queued", function="turns")
    feed.send("turn_ended", outcome="failed", error="bot.py:1 ValueError")
    assert (feed.row().outcome, feed.row().error) == ("failed", "bot.py:1 ValueError")
    feed.send("turn_started", kind="queued", function="turns")
    assert (feed.row().outcome, feed.row().error) == ("running", "")
    feed.send("turn_ended", outcome="done")
    assert [(row.outcome, row.kind) for row in feed.log.turns] == [("done", "queued")]


def test_a_process_that_is_killed(feed: Feed) -> None:
    """Its running turns fail; turns that had ended, and those of other processes, do not."""
    feed.send("turn_started", "over", kind="queued")
    feed.send("turn_ended", "over", outcome="done")
    feed.send("turn_started", "killed", kind="queued")
    feed.send("turn_started", "elsewhere", kind="queued", pid=PID + 1)
    feed.send("disconnected")
    rows = {row.id: (row.outcome, row.error) for row in feed.log.turns}
    assert rows == {
        "over": ("done", ""),
        "killed": ("failed", "The process ended."),
        "elsewhere": ("running", ""),
    }


def test_the_host_reports_a_killed_process_too(feed: Feed) -> None:
    """The process's end is the reason, whatever the host says of the invocation afterwards."""
    feed.send("turn_started", kind="queued", function="turns", at=10.0)
    feed.send("disconnected")
    feed.send("function", name="turns", at=10.0, ms=500.0, ok=False, error="the worker ended")
    assert [(row.kind, row.error) for row in feed.log.turns] == [("queued", "The process ended.")]


def test_a_killed_turn_runs_again_elsewhere(feed: Feed) -> None:
    """The queue gives the turn of a killed process to another one."""
    feed.send("turn_started", kind="queued")
    feed.send("disconnected")
    feed.send("turn_started", kind="queued", pid=PID + 1)
    feed.send("turn_ended", outcome="done", pid=PID + 1)
    assert (feed.row().outcome, feed.row().error) == ("done", "")


def test_a_function_of_the_user(feed: Feed) -> None:
    """The host's report of a timer's run is a row, also when its worker records nothing."""
    feed.send("function", None, name="tick", at=10.0, ms=12.5, ok=True, error="")
    feed.send("function", None, name="tick", at=70.0, ms=3.0, ok=False, error="ValueError")
    rows = [row.summary() for row in feed.log.turns]
    assert [(row["kind"], row["function"], row["outcome"]) for row in rows] == [
        ("function", "tick", "done"),
        ("function", "tick", "failed"),
    ]
    assert [round(row["ms"], 3) for row in rows] == [12.5, 3.0]
    assert rows[1]["error"] == "ValueError"


@pytest.mark.parametrize(
    ("turn", "order"),
    [
        (TURN, ("host", "start", "end")),
        (TURN, ("start", "end", "host")),
        (None, ("start", "end", "host")),
    ],
)
def test_host_and_worker_report_the_same_run(
    feed: Feed, turn: str | None, order: tuple[str, ...]
) -> None:
    """A run that host and worker report is one row, by its id, or by its name and time."""
    reports: dict[str, dict[str, Any]] = {
        "host": {"event": "function", "turn": turn, "name": "tick", "at": 10.0, "ms": 500.0},
        "start": {"event": "turn_started", "kind": "function", "function": "tick", "at": 10.02},
        "end": {"event": "turn_ended", "outcome": "done", "at": 10.5},
    }
    for name in order:
        feed.send(**reports[name])
    assert [(row.function, row.outcome) for row in feed.log.turns] == [("tick", "done")]


def test_runs_of_a_function_at_once(feed: Feed) -> None:
    """What the host says of one of two runs at the same time is that run's."""
    for turn in ("a", "b"):
        feed.send("turn_started", turn, kind="function", function="take", at=10.0)
    feed.send("function", "a", name="take", at=10.0, ms=5.0, ok=False, error="ValueError")
    feed.send("function", "b", name="take", at=10.0, ms=6.0, ok=True, error="")
    assert {row.id: row.error for row in feed.log.turns} == {"a": "ValueError", "b": ""}


def test_a_timer_that_runs_often(feed: Feed) -> None:
    """Runs of the same function are rows of their own, however soon they follow each other."""
    for at in (10.0, 10.2, 10.4):
        feed.send("function", None, name="tick", at=at, ms=1.0, ok=True)
    assert [row.outcome for row in feed.log.turns] == ["done"] * 3


def test_functions_that_dispatch(feed: Feed) -> None:
    """The base's queue functions have no rows of their own, unless they fail."""
    for name in ("turns", "notifications"):
        feed.send("function", None, name=name, at=10.0, ms=1.0, ok=True)
    assert feed.log.turns == []
    feed.send("function", None, name="turns", at=10.0, ms=1.0, ok=False)
    assert [row.outcome for row in feed.log.turns] == ["failed"]


def test_lines_outside_of_turns(feed: Feed) -> None:
    """A log line without a turn is the log's."""
    feed.send("log", None, level="INFO", logger="bot", text="started")
    assert [line["text"] for line in feed.log.lines] == ["started"]
    assert feed.log.turns == []


def test_dropped_events(feed: Feed) -> None:
    """A line of the log says how many events a process had to drop."""
    feed.send("dropped", None, count=7)
    (line,) = feed.log.lines
    assert (line["level"], line["traceback"]) == ("WARNING", None)
    assert "7 reports are missing" in line["text"]
    assert feed.log.turns == []


def test_late_reports_of_a_removed_turn(feed: Feed) -> None:
    """A turn that was removed does not come back."""
    feed.send("turn_started", kind="queued")
    feed.log.clear()
    feed.send("log", level="INFO", text="late")
    feed.send("turn_ended", outcome="done")
    assert feed.log.turns == []


def test_status(feed: Feed) -> None:
    """The host's report is the bot's status."""
    feed.events.handle({"event": "status", "state": "ready", "generation": 2, "ms": 412.0})
    assert (feed.status.state, feed.status.generation, feed.status.ms) == ("ready", 2, 412.0)


@pytest.mark.parametrize("end", [{"event": "blocked", "place": ""}, {"event": "disconnected"}])
def test_a_blocked_event_loop(feed: Feed, end: dict[str, str]) -> None:
    """The status has the place until the process goes on, or ends; the turn keeps it."""
    feed.send("turn_started", kind="channel", activity=ACTIVITY)
    feed.send("blocked", place="bot.py:1 in block")
    assert feed.status.blocked == {PID: "bot.py:1 in block"}
    feed.send(**end)
    assert feed.status.blocked == {}
    assert feed.row().hint == "The event loop was blocked by bot.py:1 in block"


def test_turns_beside_a_block(feed: Feed) -> None:
    """Those that wait for the event loop have the hint, too; those that are over do not."""
    for turn in ("over", "waits"):
        feed.send("turn_started", turn, kind="channel", activity=ACTIVITY)
    feed.send("turn_ended", "over", outcome="done", status=200, ms=1.0)
    feed.send("blocked", None, place="bot.py:1 in block")
    assert {turn.id: bool(turn.hint) for turn in feed.log.turns} == {"over": False, "waits": True}


def test_an_event_loop_that_is_blocked_outside_of_turns(feed: Feed) -> None:
    """No row is made for it."""
    feed.send("blocked", None, place="bot.py:1 in block")
    feed.send("blocked", place="")
    assert feed.log.turns == []


EVENTS = (
    *("turn_started", "turn_ended", "claims", "check", "state", "call", "log", "queue", "span"),
    *("error", "function", "status", "connected", "disconnected", "dropped", "blocked"),
    *("unheard_of", None),
)
FIELDS = (
    *("kind", "activity", "function", "claims", "name", "outcome", "op", "key", "id", "method"),
    *("status", "error", "ms", "at", "level", "text", "traceback", "step", "state", "ok", "pid"),
    *("parent", "conversation", "input", "response", "generation", "files", "role", "place"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 3.5, 1e308, float("inf"), 2**70, "", "x", "message", "\ud800"),
    *([], [1, "a"], {}, {"id": None}, {"type": []}, {"from": 3, "conversation": "x", "text": {}}),
)


def no_constant(name: str) -> None:
    """NaN and Infinity are no JSON."""
    raise AssertionError(name)


def test_garbage(feed: Feed) -> None:
    """No event, however wrong, raises; pages still get JSON of every row."""
    chance = random.Random(17)  # noqa: S311  # no secret
    for _ in range(20_000):
        event: dict[str, Any] = {"event": chance.choice(EVENTS)}
        event["turn"] = chance.choice([*map(str, range(20)), *VALUES])
        for _ in range(chance.randrange(6)):
            event[chance.choice(FIELDS)] = chance.choice(VALUES)
        feed.events.handle(event)
    assert feed.log.turns
    for row in feed.log.turns:
        json.loads(without_tokens(row.details()), parse_constant=no_constant)
        row.contains(["x"])
    json.dumps(feed.status.as_json())
