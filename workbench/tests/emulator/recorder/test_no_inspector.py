"""While no inspector is open, failures are reported, and turns that no request starts."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.recorder.recorder import Observer
from bot_workbench.emulator.recorder.recording import Watch
from bot_workbench.emulator.recorder.watches import ALWAYS
from http_client import observer
from tests.emulator.recorder.conftest import StartBot
from tests.support.bots.composed_app import ComposedApp
from tests.support.recording.feed_thread import FeedThread
from tests.support.timing.condition import SECONDS


@pytest.fixture
def feed() -> Iterator[FeedThread]:
    """A feed for which nothing is recorded."""
    with FeedThread() as thread:
        yield thread


def test_turns_of_requests(start: StartBot, feed: FeedThread) -> None:
    """A turn that succeeds says nothing; one that fails says where, without what users wrote."""
    bot = start()
    bot.deliver(type="message", text="count")
    failed = bot.deliver(type="message", text="fail unmistakable").turn
    refused = bot.deliver(channelId="").turn
    feed.wait(lambda: len(feed.kinds("turn_ended")) == 2)
    end = feed.one(failed, "turn_ended")
    assert end["outcome"] == "failed"
    assert end["error"].endswith(" ValueError")
    assert end["error"].startswith("bot_logic/__init__.py:")
    assert feed.one(refused, "turn_ended")["error"].startswith("BadRequest: ")
    assert "unmistakable" not in feed.text
    assert {each["event"] for each in feed.events} == {"connected", "turn_ended"}


def test_turns_without_requests(start: StartBot, feed: FeedThread, storage: str) -> None:
    """A queued turn has the id of its delivery; a proactive one names its conversation."""
    bot = start(AzureWebJobsStorage=storage, BotTurns="Queued")
    turn = bot.deliver(type="message", text="proactive word").turn
    assert feed.wait_for_end(turn)["outcome"] == "done"
    assert feed.one(turn, "turn_started")["kind"] == "queued"
    [proactive] = [each for each in feed.kinds("turn_started") if each["kind"] == "proactive"]
    assert proactive["parent"] == turn
    assert proactive["conversation"] == bot.conversation.id
    assert {each.get("activity") for each in feed.kinds("turn_started")} == {None}
    assert {each["event"] for each in feed.events} == {"connected", "turn_started", "turn_ended"}


def test_another_process_runs_the_turn(start: StartBot, feed: FeedThread, storage: str) -> None:
    """A queued turn keeps its id, whichever process runs it."""
    queued = {"AzureWebJobsStorage": storage, "BotTurns": "Queued"}
    accepting = start(**queued, **{"AzureWebJobs.turns.Disabled": "true"})
    answer = accepting.deliver(type="message", text="hello")
    assert answer.status == 202
    assert feed.kinds("turn_started") == []
    start(**queued)
    assert feed.wait_for_end(answer.turn)["outcome"] == "done"
    started, ran = (each["pid"] for each in feed.kinds("connected"))
    assert feed.one(answer.turn, "turn_started")["pid"] == ran != started


def test_an_inspector_comes_and_goes(start: StartBot, feed: FeedThread) -> None:
    """While it is open, turns are recorded in detail; before and afterwards they are not."""
    bot = start()
    before = bot.deliver(type="message", text="hello").turn
    feed.record(True)
    while not feed.kinds("turn_ended"):  # the command takes a moment
        bot.deliver(type="message", text="hello")
    during = bot.say("hello")
    feed.record(False)
    count = -1
    while len(feed.events) != count:
        count = len(feed.events)
        bot.deliver(type="message", text="hello")
        bot.deliver(type="message", text="hello")
    assert feed.of(before) == []
    assert {"turn_started", "claims", "check", "call", "span", "turn_ended"} <= {
        each["event"] for each in feed.of(during)
    }


def test_a_deployed_app(uploaded: Path, own_cloud: CloudThread, feed: FeedThread) -> None:
    """The deployed app has nothing of it: with a feed named, it connects to none."""
    program = (
        "import asyncio, sys\n"
        "async def main():\n"
        "    import function_app\n"
        "    await function_app.composition.ready()\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'emulator'])\n"
    )
    settings = own_cloud.cloud.settings() | feed.settings
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=uploaded,
        env=settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    assert done.stdout == "[]\n"
    assert feed.events == []
    named = [file for file in uploaded.rglob("*.py") if "BOT_FEED" in file.read_text()]
    assert named == []


def watch_of(name: str, seen: list[str]) -> Watch:
    """Note that a moment was seen."""
    return lambda _: seen.append(name)


async def test_nothing_stands_in_the_way(app: ComposedApp) -> None:
    """No moment that is always watched is one of a turn that succeeds."""
    seen: list[str] = []
    names = ["request", *ALWAYS]
    probe = Observer({name: watch_of(name, seen) for name in names})
    observer.attach(probe)
    try:
        answer = await app.deliver({"type": "message", "text": "hello"}, app.parts.bot.on_turn)
    finally:
        observer.detach(probe)
    assert answer.status == 200
    assert seen == ["request"]
