"""Model: asks a language model in rounds, between which it calls tools."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass, field
from typing import NamedTuple

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
FILTERED = "The content filter does not allow this answer. Please ask something else."


class ModelFailed(Exception):
    """The model has not answered. The text leaves out its own words: they may quote the user's."""


class Filtered(ModelFailed):
    """The content filter has refused the question, or ended the answer."""


class Answer(NamedTuple):
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
        return await within(ANSWER_SECONDS, self._answer(messages, reply, tools))

    async def _answer(
        self, messages: list[ChatCompletionMessageParam], reply: Reply, tools: Tools
    ) -> Answer:
        rounds: list[Round] = []
        for left in reversed(range(MAX_ROUNDS)):
            rounds.append(current := Round())
            await reply.stream(self._text(current, messages, reply, may_call=left > 0))
            if reply.stopped or not current.calls:
                break
            messages.append(current.message())
            for call in current.calls.values():
                result = await tools.call(call["function"]["name"], call["function"]["arguments"])
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        first, last = rounds[0].usage, rounds[-1].usage
        tokens = first.prompt_tokens + last.completion_tokens if first and last else 0
        return Answer(tokens, rounds[-1].is_filtered)

    async def _text(
        self,
        current: "Round",
        messages: list[ChatCompletionMessageParam],
        reply: Reply,
        *,
        may_call: bool,
    ) -> AsyncGenerator[str]:
        # The client repeats a request that fails, but not once the user has seen some text.
        client = self._client.with_options(max_retries=0 if reply.text else MAX_RETRIES)
        request = client.chat.completions.create(
            model=self._deployment,
            messages=messages,
            tools=SPECIFICATIONS,
            tool_choice="auto" if may_call else "none",
            stream=True,
            stream_options={"include_usage": True},
        )
        try:
            async with await within(CHUNK_SECONDS, request) as stream:
                while chunk := await within(CHUNK_SECONDS, anext(stream, None)):
                    gap = "" if current.content or not reply.text else "\n\n"
                    if text := current.add(chunk):
                        yield gap + text
            current.check_end()
        except Filtered:
            current.is_filtered = True
            yield f"\n\n{FILTERED}" if reply.text else FILTERED


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
    is_filtered: bool = False

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

    def check_end(self) -> None:
        """Check that the model has written all that it wanted to.

        Raises:
            Filtered: the content filter has ended it.
            ModelFailed: it has no end.
        """
        if self.end == "content_filter":
            raise Filtered
        if not self.end:
            raise ModelFailed("The stream has no end")

    def message(self) -> ChatCompletionMessageParam:
        """What the model gets to see of it in the next round."""
        calls = [*self.calls.values()]
        return {"role": "assistant", "content": self.content or None, "tool_calls": calls}


async def within[T](seconds: float, step: Awaitable[T]) -> T:
    """Await a step of the model's for so long, and translate the errors of its client.

    Raises:
        ModelFailed: in place of them.
    """
    try:
        return await asyncio.wait_for(step, seconds)
    except (APIError, TimeoutError) as error:
        status, request = (getattr(error, name, "-") for name in ("status_code", "request_id"))
        text = f"{type(error).__name__}, status {status}, request {request}"
        is_filter = getattr(error, "code", "") == "content_filter"
        raise (Filtered if is_filter else ModelFailed)(text) from None
