"""Answer: asks a language model in rounds, between which it calls tools."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable

from openai import APIError, AsyncOpenAI, AsyncStream
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from .tools import SPECIFICATIONS, Tools

MAX_ROUNDS, MAX_RETRIES = 5, 2
CHUNK_SECONDS, ANSWER_SECONDS = 60.0, 180.0

FILTERED = "content_filter"
ENDS = {
    FILTERED: "The content filter does not allow this answer. Please ask something else.",
    "length": "The answer ends here, because it is too long.",
}
"""The answers if the model has stopped for one of these reasons."""


class ModelFailed(Exception):
    """The model has not answered. The text leaves out its own words: they may quote the user's."""


class Filtered(ModelFailed):
    """The content filter has refused the question, or ended the answer."""


class Answer:
    """One answer of the model.

    Args:
        client: sends the requests.
        deployment: the name of the model's deployment.
        messages: the conversation; the calls of tools and their results are added to it.
        tools: what the model can call.

    Attributes:
        prompt_tokens: the size of the conversation before the answer; 0: the model has not said.
        end: why the model has stopped writing; FILTERED, too, if it has not begun; empty: it has
            not stopped.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        deployment: str,
        messages: list[ChatCompletionMessageParam],
        tools: Tools,
    ) -> None:
        self.prompt_tokens = 0
        self.end = ""
        self._client = client
        self._deployment = deployment
        self._messages = messages
        self._tools = tools
        self._written = False  # whether the user has begun to read
        self._content = ""  # this and the following are those of a round
        self._calls: dict[int, ChatCompletionMessageFunctionToolCallParam] = {}

    async def text(self) -> AsyncGenerator[str]:
        """Stream the text, until the model calls no more tools.

        Raises:
            ModelFailed: the model has refused, has failed, or is silent.
        """
        try:
            for left in reversed(range(MAX_ROUNDS)):
                self._content, self._calls, self.end = "", {}, ""
                request = self._request(may_call=left > 0)
                async with await within(CHUNK_SECONDS, request) as stream:
                    while chunk := await within(CHUNK_SECONDS, anext(stream, None)):
                        if text := self._add(chunk):
                            yield text
                if not self._calls or self.end in ("", FILTERED):
                    break
                await self._call_tools()
        except Filtered:
            self.end = FILTERED
        if not self.end:
            raise ModelFailed("The stream has no end")
        if self.end in ENDS:
            yield self._paragraph(ENDS[self.end])

    def _request(self, *, may_call: bool) -> Awaitable[AsyncStream[ChatCompletionChunk]]:
        # The client repeats a request that fails, but not once the user has seen some text.
        client = self._client.with_options(max_retries=0 if self._written else MAX_RETRIES)
        return client.chat.completions.create(
            model=self._deployment,
            messages=self._messages,
            tools=SPECIFICATIONS,
            tool_choice="auto" if may_call else "none",
            stream=True,
            stream_options={"include_usage": True},
        )

    def _add(self, chunk: ChatCompletionChunk) -> str:
        """Add a chunk, and return its text. Azure also sends chunks without choices or delta."""
        if chunk.usage and not self.prompt_tokens:
            self.prompt_tokens = chunk.usage.prompt_tokens
        text = ""
        for choice in chunk.choices:
            self.end = choice.finish_reason or self.end
            if delta := choice.delta:
                text += delta.content or ""
                for part in delta.tool_calls or []:
                    self._add_call(part)
        if not text:
            return ""
        shown = text if self._content else self._paragraph(text)
        self._content += text
        self._written = True
        return shown

    def _paragraph(self, text: str) -> str:
        return f"\n\n{text}" if self._written else text

    def _add_call(self, part: ChoiceDeltaToolCall) -> None:
        empty: ChatCompletionMessageFunctionToolCallParam
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self._calls.setdefault(part.index, empty)
        call["id"] += part.id or ""
        if function := part.function:
            call["function"]["name"] += function.name or ""
            call["function"]["arguments"] += function.arguments or ""

    async def _call_tools(self) -> None:
        calls = [*self._calls.values()]
        content = self._content or None
        self._messages.append({"role": "assistant", "content": content, "tool_calls": calls})
        for call in calls:
            result = await self._tools.call(call["function"]["name"], call["function"]["arguments"])
            self._messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


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
