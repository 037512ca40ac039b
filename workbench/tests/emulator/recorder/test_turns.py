"""The record of a turn, on each event loop."""

import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot_workbench.emulator.channel.channel import BotAnswer
from tests.support.recording.recorded_bot import RecordedBot

BLOCKED = "bot_logic/__init__.py:49 in block: Path(rest).read_bytes()"
THREADS = ("to_thread", "run_in_executor", "pool", "thread", "callback")


def test_start_and_end(recorded: RecordedBot) -> None:
    """A turn starts with its activity, and ends with its status and time."""
    turn = recorded.say("hello")
    start = recorded.feed.one(turn, "turn_started")
    assert (start["kind"], start["function"]) == ("channel", "messages")
    assert start["activity"]["text"] == "hello"
    assert start["activity"]["from"]["name"] == "You"
    end = recorded.feed.one(turn, "turn_ended")
    assert (end["outcome"], end["status"], end["error"]) == ("done", 200, None)
    assert end["ms"] > 0
    assert start["at"] <= end["at"]


def test_claims_and_checks(recorded: RecordedBot) -> None:
    """The token's claims are shown and never the token; each check has its outcome."""
    turn = recorded.say("hello")
    claims = recorded.feed.one(turn, "claims")
    assert claims["claims"]["aud"] == recorded.cloud.cloud.registration.app_id
    assert claims["verified"] is True
    assert claims["header"].keys() == {"alg", "kid", "typ"}
    checks = {each["name"]: each["outcome"] for each in recorded.feed.of(turn, "check")}
    assert checks == {
        "token": "passed",
        "issuer": "passed",
        "expiry": "passed",
        "key": "passed",
        "signature": "passed",
        "audience": "passed",
        "allowed callers": "skipped",
        "service URL": "passed",
        "endorsement": "passed",
        "channel host": "passed",
        "tenant": "skipped",
    }
    assert not re.search(r"eyJ[\w-]+\.", recorded.feed.text)


def test_a_blocked_event_loop(recorded: RecordedBot, tmp_path: Path) -> None:
    """The bot's line is reported while it blocks, and the end of that; the turn has the log's."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feed = recorded.feed
    known = len(feed.kinds("log"))  # with the test's on another event loop
    with ThreadPoolExecutor() as pool:
        said = pool.submit(recorded.say, f"block {pipe}")
        feed.wait(lambda: any(BLOCKED in each["text"] for each in feed.kinds("log")[known:]))
        pipe.write_bytes(b"")
    turn = said.result()
    feed.wait(lambda: len(feed.of(turn, "blocked")) == 2)
    begun, over = feed.of(turn, "blocked")
    assert begun["place"].startswith(BLOCKED)
    assert over["place"] == ""
    [line] = feed.of(turn, "log")
    assert line["text"].startswith(f"The event loop has been blocked for 2 s by {BLOCKED}")


def test_state_before_and_after(recorded: RecordedBot) -> None:
    """A write shows what was stored before, and what is stored now, as it is stored."""
    recorded.say("keep first")
    turn = recorded.say("keep second")
    write = recorded.feed.one(turn, "state", op="write")
    assert (write["source"], write["known"]) == ("memory", True)
    assert write["before"]["count"] == "first"
    assert write["after"]["count"] == "second"
    assert len(write["after"]["~turns"]) == len(write["before"]["~turns"]) + 1
    read = [each for each in recorded.feed.of(turn, "state") if each["op"] == "read"]
    assert any(each["after"] == write["before"] for each in read)
    assert recorded.conversation.id in write["key"]


def test_large_state_is_cut(recorded: RecordedBot) -> None:
    """Of state that is too large only the start is shown, and how large it is."""
    recorded.say("keep small")  # a conversation's first state is written twice
    turn = recorded.say("fill 100000")
    cut = recorded.feed.one(turn, "state", op="write")["after"]["$cut"]
    assert cut["bytes"] > 100_000
    assert cut["start"].startswith('{"count":"xxx')
    assert len(cut["start"]) < 10_000
    recorded.say("keep small")


def test_a_call_to_the_connector(recorded: RecordedBot) -> None:
    """A reply is a call with its URL, both bodies and its status; the connection is kept."""
    recorded.say("hello")
    turn = recorded.say("hello")
    call = recorded.feed.one(turn, "call")
    path = f"/v3/conversations/{recorded.conversation.id}/activities"
    assert call["url"].startswith(recorded.cloud.cloud.connector.server.url + path)
    assert (call["method"], call["purpose"], call["attempt"]) == ("POST", "connector", 1)
    assert (call["status"], call["error"], call["connect"]) == (201, None, False)
    assert call["request"]["text"] == "You said: hello"
    assert call["response"]["id"]
    assert call["ms"] > 0


def test_attempts_of_a_call(recorded: RecordedBot) -> None:
    """A call that is tried again is one call with an attempt for each request."""
    faults = recorded.cloud.cloud.connector.server.faults
    recorded.cloud.call(faults.set, status=429, remaining=2)
    turn = recorded.say("hello")
    calls = recorded.feed.of(turn, "call")
    assert [each["attempt"] for each in calls] == [1, 2, 3]
    assert [each["status"] for each in calls] == [429, 429, 201]
    assert len({each["id"] for each in calls}) == 1


def test_a_new_connection_and_a_lost_response(recorded: RecordedBot) -> None:
    """A request whose connection breaks has an error and no status; the next one connects anew."""
    faults = recorded.cloud.cloud.connector.server.faults
    recorded.cloud.call(faults.set, cut=True, remaining=1)
    lost, apology = recorded.feed.of(recorded.say("hello"), "call")
    assert lost["status"] is None
    assert lost["error"].startswith("ResponseLost")
    assert (apology["status"], apology["connect"]) == (201, True)
    assert apology["id"] != lost["id"]


def test_calls_of_the_bots_own(recorded: RecordedBot) -> None:
    """Requests of other libraries are calls, too, without bodies and what a URL may hide."""
    url = f"{recorded.cloud.cloud.pages.url}/inspector"
    secret = url.replace("://", "://me:unmistakable@")
    query = "api_key=unmistakable&ticket=opaque&api-version=2021-01-01"
    turn = recorded.say(f"fetch {secret}?{query}")
    assert "unmistakable" not in str(recorded.feed.of(turn))
    for method in ("GET", "HEAD"):
        call = recorded.feed.one(turn, "call", method=method)
        assert call["url"] == f"{url}?api_key=(not shown)&ticket=...&api-version=2021-01-01"
        assert (call["status"], call["error"], call["request"]) == (200, None, None)
        assert call["purpose"] == "the bot's own"


def test_log_lines(recorded: RecordedBot) -> None:
    """A turn's log lines have their level, their logger and the traceback they were logged with."""
    turn = recorded.say("log this")
    lines = {each["text"]: each for each in recorded.feed.of(turn, "log")}
    assert lines.keys() == {"info this", "warning this", "exception this"}
    assert lines["info this"]["level"] == "INFO"
    assert lines["warning this"]["level"] == "WARNING"
    assert lines["info this"]["logger"].startswith("bot_logic")
    assert "KeyError: 'logged'" in lines["exception this"]["traceback"]
    assert "observer.py" not in lines["exception this"]["traceback"]
    assert lines["info this"]["traceback"] is None


@pytest.mark.parametrize("how", THREADS)
def test_threads_belong_to_the_turn(recorded: RecordedBot, how: str) -> None:
    """Threads and callbacks of a turn belong to it."""
    word = secrets.token_hex(8)  # the feed also has the lines of other tests, and of other loops
    turn = recorded.say(f"threads {word}")

    def turns() -> list[str]:
        lines = recorded.feed.kinds("log")
        return [each["turn"] for each in lines if each["text"] == f"{how} {word}"]

    recorded.feed.wait(turns)
    assert turns() == [turn]


def test_an_executors_thread_belongs_to_no_turn(recorded: RecordedBot) -> None:
    """A line that it logs after a turn's function does not belong to the turn that started it."""
    word = secrets.token_hex(8)
    recorded.say("released first")
    recorded.say(f"released {word}")
    lines = recorded.feed.kinds("log")
    assert [each["turn"] for each in lines if each["text"] == f"released {word}"] == [None]


def test_background_tasks_belong_to_the_turn(recorded: RecordedBot) -> None:
    """A task that a turn has left running belongs to it after its end."""
    turn = recorded.say("background task")
    recorded.feed.wait(lambda: "background task" in str(recorded.feed.of(turn, "log")))


def test_concurrent_turns_do_not_mix(recorded: RecordedBot) -> None:
    """Of turns that run at the same time, each has its own log lines, calls and replies."""
    numbers = range(12)
    with ThreadPoolExecutor(len(numbers)) as pool:
        answers = list(
            pool.map(lambda number: recorded.deliver(type="message", text=f"mix {number}"), numbers)
        )
    for number, answer in zip(numbers, answers, strict=True):
        recorded.feed.wait_for_end(answer.turn)
        texts = {each["text"] for each in recorded.feed.of(answer.turn, "log")}
        assert texts == {f"mix {number}"}
        calls = recorded.feed.of(answer.turn, "call")
        assert [each["request"]["text"] for each in calls] == [f"mix {number}"]


def test_a_failed_turn(recorded: RecordedBot) -> None:
    """A turn in which the bot raises has failed, though it answers 200; it has both tracebacks."""
    turn = recorded.say("fail a secret word")
    end = recorded.feed.one(turn, "turn_ended")
    assert (end["outcome"], end["status"]) == ("failed", 200)
    assert re.fullmatch(r"bot_logic/__init__.py:\d+ ValueError", end["error"])
    error = recorded.feed.one(turn, "error")
    assert error["text"] == "ValueError: as asked: a secret word"
    assert "as asked: a secret word" in error["traceback"]
    assert "in fail" in error["traceback"]
    assert "secret word" not in error["redacted"]
    assert "in fail" in error["redacted"]
    for trace in (error["traceback"], error["redacted"]):
        assert "on_turn" in trace
        assert "observer.py" not in trace


def test_steps(recorded: RecordedBot) -> None:
    """The steps of a turn lie within each other, the bot's innermost."""
    turn = recorded.say("count")
    spans = {each["name"]: each for each in recorded.feed.of(turn, "span")}
    bot, own = spans["the bot's on_turn"], spans["AutoSaveStateMiddleware"]
    assert bot["parent"] == "AutoSaveStateMiddleware"
    assert own["parent"] == "ShowTypingMiddleware"
    assert own["at"] <= bot["at"]
    assert own["ms"] >= bot["ms"]
    assert {"authentication", "read activity", "authorization", "sign in"} <= spans.keys()


def test_an_invoke(recorded: RecordedBot) -> None:
    """An invoke's end has the JSON that it answers."""
    turn = recorded.deliver(type="invoke", name="test/ask", value={"a": 1}).turn
    end = recorded.feed.wait_for_end(turn)
    assert end["response"] == {"answer": {"a": 1}}


def test_a_body_that_is_no_activity(recorded: RecordedBot) -> None:
    """A refused request has its error, and an activity only if the body is an object."""
    answer: BotAnswer = recorded.deliver(channelId="")
    end = recorded.feed.wait_for_end(answer.turn)
    assert (end["outcome"], end["status"]) == ("failed", 400)
    assert end["error"].startswith("BadRequest: ")


def test_a_proactive_message(recorded: RecordedBot) -> None:
    """A turn that the bot starts within another has a row of its own, and names that one."""
    turn = recorded.say("proactive word")
    recorded.feed.wait(
        lambda: [
            each
            for each in recorded.feed.kinds("turn_started")
            if each["kind"] == "proactive" and each["parent"] == turn
        ]
    )
    [start] = [each for each in recorded.feed.kinds("turn_started") if each.get("parent") == turn]
    assert start["conversation"] == recorded.conversation.id
    assert start["activity"]["type"] == "event"
    own = start["turn"]
    assert own != turn
    assert [each["request"]["text"] for each in recorded.feed.of(own, "call")] == ["Later"]
    assert [each["text"] for each in recorded.feed.of(own, "log")] == ["proactive word"]
    assert recorded.feed.wait_for_end(own)["outcome"] == "done"
