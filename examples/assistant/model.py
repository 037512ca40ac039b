"""Model: asks a language model in rounds, between which it calls tools."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from openai import APIError, AsyncOpenAI
from openai.types import CompletionUsage
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from cloud_adapter.reply import Reply

from .tools import SPECIFICATIONS, Tools

MAX_ROUNDS, MAX_RETRIES = 5, 2
CHUNK_SECONDS, ANSWER_SECONDS = 60.0, 180.0
CONTENT_FILTER = "content_filter"
FILTERED = "The content filter does not allow this answer. Please ask something else."


class ModelFailed(Exception):
    """The model has not answered. The text leaves out what the client's errors quote.

    Attributes:
        code: Azure's, such as `content_filter`; None: there is none.
    """

    def __init__(self, error: Exception) -> None:
        status, request = (getattr(error, name, None) for name in ("status_code", "request_id"))
        super().__init__(f"{type(error).__name__}, status {status}, request {request}")
        self.code = getattr(error, "code", None)


@dataclass
class Round:
    """What the model writes in response to one request.

    Attributes:
        end: why the model has stopped writing; empty: it has not.
        usage: the tokens of the request and of the response; None: the model has not said.
    """

    content: str = ""
    calls: dict[int, ChatCompletionMessageFunctionToolCallParam] = field(default_factory=dict)
    end: str = ""
    usage: CompletionUsage | None = None

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Add a chunk, and return its text. Azure also sends chunks without choices or delta."""
        self.usage = chunk.usage or self.usage
        text = ""
        for choice in chunk.choices:
            self.end = choice.finish_reason or self.end
            if delta := choice.delta:
                text += delta.content or ""
                for part in delta.tool_calls or []:
                    self._add_call(part)
        self.content += text
        return text

    def _add_call(self, part: ChoiceDeltaToolCall) -> None:
        empty: ChatCompletionMessageFunctionToolCallParam
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self.calls.setdefault(part.index, empty)
        call["id"] += part.id or ""
        if function := part.function:
            call["function"]["name"] += function.name or ""
            call["function"]["arguments"] += function.arguments or ""


@dataclass(frozen=True)
class Answer:
    """What the bot needs to know of an answer, beside its text.

    Attributes:
        tokens: of the conversation with this answer; 0: the model has not said.
        is_filtered: whether the content filter has refused it, or ended it.
    """

    tokens: int
    is_filtered: bool


class Model:
    """A deployment of a language model.

    Args:
        client: sends the requests.
        deployment: its name.
    """

    def __init__(self, client: AsyncOpenAI, deployment: str) -> None:
        self._client = client
        self._deployment = deployment

    async def answer(
        self, messages: list[ChatCompletionMessageParam], reply: Reply, tools: Tools
    ) -> Answer:
        """Stream an answer, until the model calls no more tools, or the user presses Stop.

        Args:
            messages: the conversation; the calls of tools and their results are added to it.
            reply: gets the text.
            tools: what the model can call.

        Raises:
            ModelFailed: the model has refused, has failed, or takes too long.
        """
        rounds: list[Round] = []
        async with limited(ANSWER_SECONDS):
            for left in reversed(range(MAX_ROUNDS)):
                rounds.append(current := Round())
                await reply.stream(self._text(current, messages, reply, may_call=left > 0))
                if not (current.calls and left) or reply.stopped:
                    break
                calls = [*current.calls.values()]
                text = current.content or None
                messages.append({"role": "assistant", "content": text, "tool_calls": calls})
                for each in calls:
                    result = await tools.call(
                        each["function"]["name"], each["function"]["arguments"]
                    )
                    messages.append({"role": "tool", "tool_call_id": each["id"], "content": result})
        first, last = rounds[0].usage, rounds[-1].usage
        tokens = first.prompt_tokens + last.completion_tokens if first and last else 0
        return Answer(tokens, rounds[-1].end == CONTENT_FILTER)

    async def _text(
        self,
        current: Round,
        messages: list[ChatCompletionMessageParam],
        reply: Reply,
        *,
        may_call: bool,
    ) -> AsyncGenerator[str]:
        # The client repeats requests, but not once the user has seen some text.
        client = self._client.with_options(max_retries=0 if reply.text else MAX_RETRIES)
        try:
            async with limited(CHUNK_SECONDS):
                stream = await client.chat.completions.create(
                    model=self._deployment,
                    messages=messages,
                    tools=SPECIFICATIONS,
                    tool_choice="auto" if may_call else "none",
                    stream=True,
                    stream_options={"include_usage": True},
                )
            async with stream:
                while True:
                    async with limited(CHUNK_SECONDS):
                        chunk = await anext(stream, None)
                    if chunk is None:
                        break
                    is_new = not current.content
                    if text := current.add(chunk):
                        yield paragraph(text, reply) if is_new else text
        except ModelFailed as error:
            if error.code != CONTENT_FILTER:
                raise
            current.end = CONTENT_FILTER
        if current.end == CONTENT_FILTER:
            yield paragraph(FILTERED, reply)
        elif not current.end:
            raise ModelFailed(EOFError())


@asynccontextmanager
async def limited(seconds: float) -> AsyncIterator[None]:
    """Limit what the model may take, and translate the errors of its client.

    Raises:
        ModelFailed: in place of them.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except (APIError, TimeoutError) as error:
        raise ModelFailed(error) from None


def paragraph(text: str, reply: Reply) -> str:
    """Text that begins a paragraph."""
    return f"\n\n{text}" if reply.text else text
