"""Every function that the recorder watches is there, and something is reported because of it.

If a function of the deployed code is renamed, or one of its parameters, a test fails here.
"""

import contextlib
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.recorder.interception import Interception
from bot_workbench.emulator.recorder.rows import ALWAYS, DETAILS
from tests.emulator.recorder.conftest import FAULT, StartBot
from tests.support.recording.feed_thread import Event, FeedThread
from tests.support.recording.recorded_bot import RecordedBot
from tests.support.skills.skill_pair import running_pair
from tests.support.telemetry.exported_spans import TELEMETRY_ON
from tests.support.wire.http_post import Caller

Evidence = Callable[[Event], bool]
"""Whether an event shows that a function was watched."""


def has(event: str, **fields: object) -> Evidence:
    """An event of a kind with these fields."""
    return lambda found: found["event"] == event and fields.items() <= found.items()


def says(event: str, field: str, text: str) -> Evidence:
    """An event of a kind, one of whose fields has a text in it."""
    return lambda found: found["event"] == event and text in str(found.get(field))


EVIDENCE: Mapping[str, tuple[Evidence, ...]] = {
    "refusal": (says("turn_ended", "error", "TokenRejected: "),),
    "CloudAdapter.handle_error": (says("error", "text", "as asked: inline"),),
    "CloudAdapter.log_error": (says("error", "text", "as asked: queued"),),
    "CloudAdapter.send_proactively": (
        has("turn_started", kind="proactive", function="notifications"),
    ),
    "CloudAdapter.run_pipeline": (has("turn_started", kind="proactive", function="messages"),),
    "CloudAdapter._run_stored": (has("turn_started", kind="queued"),),
    "QueuedTurns.enqueue": (has("queue", step="enqueued"), has("span", name="enqueue")),
    "BotAuthentication.authenticate": (
        has("check", name="signature"),
        has("span", name="authentication"),
    ),
    "BotAuthentication.authorize": (
        has("check", name="endorsement"),
        has("span", name="authorization"),
    ),
    "BotAuthentication.authenticate_channel_request": (
        says("check", "detail", "AllowedCallers has "),
    ),
    "ConnectorSession.call": (has("call", purpose="connector"),),
    "SkillClient.post_activity": (has("call", purpose="skill"),),
    "StorageAccount.call": (has("call", purpose="storage"),),
    "HttpPool.request": (has("call", attempt=1),),
    "HttpConnection.open": (has("call", connect=True),),
    "ClientSession._request": (has("call", method="GET", purpose="the bot's own"),),
    "Session.send": (has("call", method="HEAD", purpose="the bot's own"),),
    "Client.send": (
        says("call", "url", "/httpx.Client"),
        says("call", "url", "/httpx2.Client"),
    ),
    "AsyncClient.send": (
        says("call", "url", "/httpx.AsyncClient"),
        says("call", "url", "/httpx2.AsyncClient"),
    ),
    "BlobContainer.read": (has("state", op="read", source="blob"),),
    "BlobContainer.write": (has("state", op="write", source="blob"),),
    "BlobContainer.delete": (has("state", op="delete", source="blob"),),
    "MemoryContainer.read": (has("state", op="read", source="memory"),),
    "MemoryContainer.write": (has("state", op="write", source="memory"),),
    "MemoryContainer.delete": (has("state", op="delete", source="memory"),),
    "_TurnScopedState.load": (
        has("state", op="read", source="kept"),
        has("span", name="load state"),
    ),
    "_TurnScopedState.save_at_end": (has("span", name="save state"),),
    "MessageQueue.put": (has("queue", step="wake_up"), has("queue", step="requeued")),
    "QueuedTurns.handle_message": (has("queue", step="drain"),),
    "Attempts.run": (has("queue", step="drain", detail="attempt 2"),),
    "SetAsideActivities.count": (has("queue", step="set_aside"),),
    "SetAsideActivities.dead_letter": (has("queue", step="dead_letter"),),
    "Composition.ready": (has("span", name="warm-up"),),
    "read_activity": (has("span", name="read activity"),),
    "BotConnectorFactory.create": (has("span", name="sign in"),),
    "MiddlewareSet.receive_activity_internal": (has("span", name="the bot's on_turn"),),
    "ConversationLocks.lock": (has("span", name="wait for lock"),),
    "ThreadPoolExecutor.submit": (has("log", text="pool belongs"),),
    "Thread.start": (has("log", text="thread belongs"),),
}
"""What shows that each function was watched, by each of its observers."""


@pytest.mark.parametrize("row", [*ALWAYS, *DETAILS], ids=lambda row: row.path)
def test_what_is_watched_exists(row: Interception) -> None:
    """The module has the function, or the class has the method itself."""
    owner, _, name = row.path.rpartition(".")
    module = importlib.import_module(row.module)
    assert name in vars(getattr(module, owner) if owner else module)


def test_each_is_known_here() -> None:
    """The table of evidence is complete."""
    assert EVIDENCE.keys() == {row.path for row in (*ALWAYS, *DETAILS)}


def test_each_reports(
    start: StartBot, azurite: AzuriteAccounts, feed: FeedThread, tmp_path: Path
) -> None:
    """Turns of all kinds: with state in memory and in storage, queued, proactive, of skills."""
    queued = start(AzureWebJobsStorage=azurite.fresh(), BotTurns="Queued")
    failing = queued.deliver(type="message", text="fail queued").turn
    queued.deliver(type="message", text="count")
    queued.deliver(type="message", text="notify all")
    in_memory(start())
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


def in_memory(bot: RecordedBot) -> None:
    """Turns of a bot whose state is in memory."""
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
