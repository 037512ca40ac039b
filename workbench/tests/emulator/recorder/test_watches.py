"""Every moment that the recorder watches is there, and something is reported because of it.

If a moment of the deployed code is renamed, or a parameter of its function, a test fails here.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.recorder.libraries import FUNCTIONS
from bot_workbench.emulator.recorder.watches import EVENTS, SPANS
from tests.emulator.recorder.conftest import FAULT, StartBot
from tests.support.recording.feed_thread import Event, FeedThread
from tests.support.recording.recorded_bot import RecordedBot
from tests.support.skills.skill_pair import running_pair
from tests.support.telemetry.exported_spans import TELEMETRY_ON
from tests.support.wire.http_post import Caller

Evidence = Callable[[Event], bool]
"""Whether an event shows that a moment was watched."""


def has(event: str, **fields: object) -> Evidence:
    """An event of a kind with these fields."""
    return lambda found: found["event"] == event and fields.items() <= found.items()


def says(event: str, field: str, text: str) -> Evidence:
    """An event of a kind, one of whose fields has a text in it."""
    return lambda found: found["event"] == event and text in str(found.get(field))


EVIDENCE: Mapping[str, tuple[Evidence, ...]] = {
    "refusal": (says("turn_ended", "error", "TokenRejected: "),),
    "turn.error": (
        says("error", "text", "as asked: inline"),
        says("error", "text", "as asked: queued"),
    ),
    "worker.blocked": (says("blocked", "place", "in block"), has("blocked", place="")),
    "proactive.send": (has("turn_started", kind="proactive", function="notifications"),),
    "proactive.turn": (has("turn_started", kind="proactive", function="messages"),),
    "queued.turn": (has("turn_started", kind="queued"),),
    "queued.enqueue": (has("queue", step="enqueued"), has("span", name="enqueue")),
    "caller.authenticate": (
        has("check", name="signature"),
        has("span", name="authentication"),
    ),
    "caller.authorize": (
        has("check", name="endorsement"),
        has("span", name="authorization"),
    ),
    "caller.authenticate_skill": (says("check", "detail", "AllowedCallers has "),),
    "connector.call": (has("call", purpose="connector"),),
    "skill.call": (has("call", purpose="skill"),),
    "storage.call": (has("call", purpose="storage"),),
    "http.request": (has("call", attempt=1),),
    "http.connect": (has("call", connect=True),),
    "aiohttp.request": (has("call", method="GET", purpose="the bot's own"),),
    "requests.request": (has("call", method="HEAD", purpose="the bot's own"),),
    "httpx.request": tuple(
        says("call", "url", f"/{library}.{client}")
        for library in ("httpx", "httpx2")
        for client in ("Client", "AsyncClient")
    ),
    "blob.read": (
        has("state", op="read", source="blob"),
        has("state", op="read", source="memory"),
    ),
    "blob.write": (
        has("state", op="write", source="blob"),
        has("state", op="write", source="memory"),
    ),
    "blob.delete": (
        has("state", op="delete", source="blob"),
        has("state", op="delete", source="memory"),
    ),
    "state.load": (
        has("state", op="read", source="kept"),
        has("span", name="load state"),
    ),
    "state.save": (has("span", name="save state"),),
    "queue.put": (has("queue", step="wake_up"), has("queue", step="requeued")),
    "queued.wake_up": (has("queue", step="drain"),),
    "queued.attempt": (has("queue", step="drain", detail="attempt 2"),),
    "queued.set_aside": (has("queue", step="set_aside"),),
    "queued.dead_letter": (has("queue", step="dead_letter"),),
    "app.ready": (has("span", name="warm-up"),),
    "activity.read": (has("span", name="read activity"),),
    "connector.sign_in": (has("span", name="sign in"),),
    "middleware": (has("span", name="the bot's on_turn"),),
    "state.lock": (has("span", name="wait for lock"),),
    "thread.start": (has("log", text="thread belongs"),),
    "ThreadPoolExecutor.submit": (has("log", text="pool belongs"),),
}
"""The evidence that each moment was watched, in each table; and a function that becomes none."""


def test_each_is_known_here() -> None:
    """The table of evidence is complete."""
    others = {f"{each.owner}.{each.name}" for each in FUNCTIONS if not each.moment}
    assert EVIDENCE.keys() == {*EVENTS, *SPANS} | others


def test_each_reports(
    start: StartBot, azurite: AzuriteAccounts, feed: FeedThread, tmp_path: Path
) -> None:
    """Turns of all kinds: with state in memory and in storage, queued, proactive, of skills."""
    queued = start(AzureWebJobsStorage=azurite.fresh(), BotTurns="Queued")
    failing = queued.deliver(type="message", text="fail queued").turn
    queued.deliver(type="message", text="count")
    queued.deliver(type="message", text="notify all")
    in_memory(start(), tmp_path)
    removed = start(AzureWebJobsStorage=azurite.fresh())
    removed.say("hello")
    removed.deliver(type="conversationUpdate", membersRemoved=[removed.account])
    with_a_skill(feed, tmp_path)
    # Five attempts, and four pauses of five seconds.
    feed.wait(lambda: has_failed(feed.of(failing, "turn_ended")))
    wanted = [(path, each) for path, found in EVIDENCE.items() for each in found]

    def missing() -> list[str]:
        events = list(feed.events)
        return [path for path, evidence in wanted if not any(map(evidence, events))]

    with contextlib.suppress(AssertionError):  # the next line says which
        feed.wait(lambda: not missing())
    assert missing() == []


def has_failed(ends: list[Event]) -> bool:
    """Whether a queued turn has failed for good."""
    return any(each["outcome"] == "failed" for each in ends)


def in_memory(bot: RecordedBot, folder: Path) -> None:
    """Turns of a bot whose state is in memory."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        pool.submit(bot.say, f"block {pipe}")
        bot.feed.wait(lambda: bot.feed.kinds("blocked"))
        pipe.write_bytes(b"")
    for text in ("hello", "fail inline", "proactive word", "threads belongs", "count"):
        bot.say(text)
    bot.say(f"fetch {bot.cloud.cloud.pages.url}/inspector?code=unmistakable")
    bot.say(f"visit {bot.cloud.cloud.pages.url}")
    bot.deliver(type="conversationUpdate", membersRemoved=[bot.account])
    kept = has("state", op="read", source="kept")
    while not any(map(kept, list(bot.feed.events))):  # it is kept for a moment only
        bot.say("count")
    turn = "1" * 32
    caller = Caller(bot.messages.removesuffix("/api/messages"))
    headers = [("Content-Type", "application/json"), ("traceparent", f"00-{turn}-{'2' * 16}-01")]
    caller.send("POST", "/api/messages", headers, b"{}")
    caller.close()
    bot.feed.wait_for_end(turn)


def with_a_skill(feed: FeedThread, folder: Path) -> None:
    """A conversation with a skill, with telemetry: the parts that make spans are watched, too."""
    cloud_folder = folder / "cloud"
    cloud_folder.mkdir()
    settings = feed.settings | TELEMETRY_ON
    with (
        CloudThread(Cloud(cloud_folder)) as thread,
        running_pair(thread.cloud, folder, settings) as pair,
    ):
        assert pair.user.says("skill") == 200
        called = has("call", purpose="skill", status=200)
        feed.wait(lambda: any(map(called, list(feed.events))))
    for log in folder.glob("*.log"):
        assert FAULT not in log.read_text()
