"""Functions of the user's own, and notifications, are rows of their own."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from tests.emulator.recorder.conftest import FAULT
from tests.support.bots.bot_process import BotProcess
from tests.support.recording.feed_thread import FeedThread
from tests.support.recording.recorded_bot import RecordedBot
from tests.support.wire.http_post import JSON, Caller


@pytest.fixture
def caller(recorded: RecordedBot) -> Iterator[Caller]:
    """A connection to the bot."""
    with closing(Caller(recorded.messages.removesuffix("/api/messages"))) as found:
        yield found


def call(caller: Caller, feed: FeedThread, path: str) -> str:
    """Call an HTTP function, and return its run's id once it has ended."""
    turn = secrets.token_hex(16)
    headers = [("traceparent", f"00-{turn}-{secrets.token_hex(8)}-01")]
    caller.send("GET", path, headers)
    feed.wait_for_end(turn)
    return turn


def test_an_http_function(recorded: RecordedBot, caller: Caller) -> None:
    """It has its name, its status, and the lines that it logs in its thread."""
    turn = call(caller, recorded.feed, "/api/greet")
    start = recorded.feed.one(turn, "turn_started")
    assert (start["kind"], start["function"], start["activity"]) == ("function", "greet", None)
    end = recorded.feed.one(turn, "turn_ended")
    assert (end["outcome"], end["status"], end["response"]) == ("done", 200, "hello")
    assert [each["text"] for each in recorded.feed.of(turn, "log")] == ["greet in a thread"]


def test_a_function_that_fails(recorded: RecordedBot, caller: Caller) -> None:
    """It has failed, with the place in the user's file and the traceback."""
    turn = call(caller, recorded.feed, "/api/greet?fail=1")
    end = recorded.feed.one(turn, "turn_ended")
    assert end["outcome"] == "failed"
    error = recorded.feed.one(turn, "error")
    assert error["where"].startswith("bot_logic/routes.py:")
    assert end["error"] == f"{error['where']} ValueError"
    assert error["text"] == "ValueError: greet fails"
    assert "in greet" in error["traceback"]


def test_a_timer(recorded: RecordedBot, caller: Caller) -> None:
    """A timer's run has its name and its lines."""
    assert caller.send("POST", "/admin/functions/yearly", JSON, b"{}").status == 202
    feed = recorded.feed
    feed.wait(lambda: [each for each in feed.kinds("log") if each["text"] == "yearly"])
    [line] = [each for each in feed.kinds("log") if each["text"] == "yearly"]
    assert feed.one(line["turn"], "turn_started")["function"] == "yearly"
    assert feed.wait_for_end(line["turn"])["outcome"] == "done"


def test_probes_are_no_rows(recorded: RecordedBot, caller: Caller) -> None:
    """The base's own health check is not recorded."""
    turn = secrets.token_hex(16)
    headers = [("traceparent", f"00-{turn}-{secrets.token_hex(8)}-01")]
    assert caller.send("GET", "/api/health", headers).status == 200
    recorded.say("hello")
    assert recorded.feed.of(turn, "turn_started", "turn_ended") == []


def test_a_notification(
    own_cloud: CloudThread,
    azurite: AzuriteAccounts,
    feed: FeedThread,
    app_folder: Path,
    logs: Path,
) -> None:
    """Its run is a row, and each message that it sends is one within it."""
    settings = own_cloud.cloud.settings() | feed.settings
    settings["AzureWebJobsStorage"] = azurite.fresh()
    log = logs / "recorded notification.log"
    with BotProcess(settings, log, app_folder) as process:
        bot = RecordedBot(own_cloud, process.messages, feed)
        bot.say("hello")
        bot.say("notify everybody")
        sent = {"kind": "proactive", "function": "notifications"}
        feed.wait(
            lambda: [each for each in feed.kinds("turn_started") if sent.items() <= each.items()]
        )
        [start] = [each for each in feed.kinds("turn_started") if sent.items() <= each.items()]
        run = feed.one(start["parent"], "turn_started")
        assert (run["kind"], run["function"]) == ("function", "notifications")
        assert run["input"]["text"] == "Notified everybody"
        assert feed.wait_for_end(start["turn"])["outcome"] == "done"
        calls = feed.of(start["turn"], "call")
        assert [each["request"]["text"] for each in calls] == ["Notified everybody"]
    assert FAULT not in log.read_text()
