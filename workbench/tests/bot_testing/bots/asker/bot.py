"""AskerBot: streams what a language model says, and says how it ended."""

import asyncio
from collections.abc import AsyncIterator

from botbuilder.core import TurnContext
from openai import APIConnectionError, AsyncOpenAI

from cloud_adapter.reply import Reply

SILENCE_SECONDS = 60


class AskerBot:
    """A message that starts with `plain` gets its answer as one message, others get a stream.

    Args:
        client: sends the requests.
        deployment: the model's.
    """

    def __init__(self, client: AsyncOpenAI, deployment: str) -> None:
        self._client = client
        self._deployment = deployment

    async def on_turn(self, context: TurnContext) -> None:
        """Answer a message."""
        if context.activity.type != "message":
            return
        if context.activity.text.startswith("plain"):
            words = [each async for each in self._words(context.activity.text)]
            await context.send_activity("".join(words))
            return
        async with Reply(context) as reply:
            await reply.stream(self._words(context.activity.text))

    async def _words(self, text: str) -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                stream = await self._client.chat.completions.create(
                    model=self._deployment,
                    messages=[{"role": "user", "content": text}],
                    stream=True,
                )
            async with stream:
                chunks = aiter(stream)
                while True:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        return
                    for choice in chunk.choices:
                        yield choice.delta.content or ""
        except TimeoutError:
            yield "(silent)"
        except APIConnectionError:
            yield "(dead)"
