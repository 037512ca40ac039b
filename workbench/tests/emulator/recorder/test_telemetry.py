"""The recorder and telemetry observe the same turns, side by side."""

from tests.emulator.recorder.conftest import StartBot
from tests.support.recording.feed_thread import FeedThread
from tests.support.telemetry.collector import Collector
from tests.support.timing.condition import until

SEND, PROCESS, REPLY = "send bot-turns", "process bot-turns", "agents.connector.reply_to_activity"


def test_a_queued_turn(start: StartBot, feed: FeedThread, storage: str) -> None:
    """It is one row and one trace; the stored activity continues telemetry's span."""
    with Collector() as collector:
        bot = start(AzureWebJobsStorage=storage, BotTurns="Queued", **collector.settings)
        turn = bot.deliver(type="message", text="count").turn
        assert feed.wait_for_end(turn, 2)["outcome"] == "done"
        until(lambda: {SEND, PROCESS, REPLY} <= {each.name for each in collector.spans})
        spans = {each.name: each for each in collector.spans}
    assert {spans[name].trace_id.hex() for name in (SEND, PROCESS, REPLY)} == {turn}
    assert spans[PROCESS].parent_span_id == spans[SEND].span_id
    assert feed.one(turn, "queue", step="enqueued")
    assert {"the bot's on_turn", "enqueue"} <= {each["name"] for each in feed.of(turn, "span")}
    assert feed.one(turn, "call", purpose="connector")["status"] == 201
