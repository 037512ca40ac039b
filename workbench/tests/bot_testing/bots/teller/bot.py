"""TellerBot: tells a story, as slowly as it is asked to."""

import asyncio
from collections.abc import AsyncIterator

from botbuilder.core import TurnContext

from cloud_adapter.reply import Reply

STORY = ("Once", " upon", " a", " time", ".")


class TellerBot:
    """A message says for how many seconds the model is silent before each word, 4 if it does not.

    Attributes:
        stopped: the text that the user had seen when they pressed Stop, for each such answer.
    """

    stopped: list[str] = []  # noqa: RUF012  # of the process, like a log

    async def on_turn(self, context: TurnContext) -> None:
        """Tell the story."""
        if context.activity.type == "message":
            async with Reply(context) as reply:
                reply.update("Remembering…")
                text = context.activity.text
                await reply.stream(_words(int(text) if text.isdigit() else 4))
            if reply.stopped:
                self.stopped.append(reply.text)


async def _words(pause: int) -> AsyncIterator[str]:
    for word in STORY:
        if pause:
            await asyncio.sleep(pause)
        yield word
