"""The streaming bot of the benchmark, in the place of bot_logic."""

from botbuilder.core import ActivityHandler, TurnContext

from benchmarks.streams.model import answer
from cloud_adapter.reply import Reply


class StreamingBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Streams an answer of as many seconds as the message says."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer a message."""
        async with Reply(turn_context) as reply:
            await reply.stream(answer(float(turn_context.activity.text)))


def create_bot(services: object) -> StreamingBot:  # noqa: ARG001  # as the base calls it
    """The bot."""
    return StreamingBot()
