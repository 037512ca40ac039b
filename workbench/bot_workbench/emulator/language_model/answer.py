"""Answer: what the model says, in the shapes of Azure's Chat Completions.

Source of the shapes: OpenAI's API reference, Microsoft's pages on content filters, and recorded
responses of Azure's API version v1.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from bot_workbench.emulator.language_model.content_filter import FILTERED, SAFE, SAFE_PROMPT
from bot_workbench.emulator.language_model.tokens import CHARACTERS, count_tokens, pieces_of

End = Literal["stop", "content_filter", "length", "error", "silent", "dead"]
"""The end of an answer.

`stop`: when all is said; `content_filter`: the content filter ends it; `length`: it has as many
tokens as it may; `error`: the model fails, which the stream says; `silent`: nothing more comes, and
the connection stays open; `dead`: the connection is cut.
"""

Call = tuple[str, Mapping[str, Any] | str]
"""A tool's name, and its arguments; text is sent as it is: models write invalid JSON, too."""

MODEL = "stand-in"
"""The `model` of an answer: in Azure, that is the model, and not the deployment."""


@dataclass(frozen=True)
class Answer:
    """The answer to one request.

    Attributes:
        text: what it says.
        calls: the tools that it calls.
        end: how it ends.
        prompt_tokens: of the request.
        id: of the answer.
        created: seconds since 1970.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    end: End = "stop"
    prompt_tokens: int = 0
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def within(self, tokens: int | None) -> Self:
        """The same answer, which says no more than so many tokens; None: as many as it likes."""
        if tokens is None or count_tokens(self.text) <= tokens:
            return self
        return replace(self, text=self.text[: tokens * CHARACTERS], calls=(), end="length")

    @property
    def finish_reason(self) -> str:
        """As the API has it; empty: the answer never ends properly."""
        if self.end in ("error", "silent", "dead"):
            return ""
        return "tool_calls" if self.calls and self.end == "stop" else self.end

    def completion(self) -> dict[str, Any]:
        """The body of a response that is not streamed."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self._content(self.text),
            "refusal": None,
        }
        if self.calls:
            message["tool_calls"] = list(self._tool_calls())
        choice = {"message": message, **self._choice(self.finish_reason, self._filtered(SAFE))}
        return {
            **self._header("chat.completion"),
            "choices": [choice],
            "usage": self._usage(),
            "prompt_filter_results": _PROMPT_RESULTS,
        }

    def chunks(self, *, with_usage: bool) -> Iterator[dict[str, Any]]:
        """The chunks of a stream, without an end if it has none.

        Args:
            with_usage: the last one has the usage, and no choices; the others have null.
        """
        no_usage = {"usage": None} if with_usage else {}
        nobody = {"id": "", "object": "", "created": 0, "model": ""}
        yield {**nobody, "choices": [], "prompt_filter_results": _PROMPT_RESULTS, **no_usage}
        header = self._header("chat.completion.chunk")
        for delta in self._deltas():
            choice = {"delta": delta, **self._choice(None, SAFE if delta.get("content") else {})}
            yield {**header, "choices": [choice], **no_usage}
        if self.finish_reason:
            last = {"delta": {}, **self._choice(self.finish_reason, self._filtered({}))}
            yield {**header, "choices": [last], **no_usage}
            if with_usage:
                yield {**header, "choices": [], "usage": self._usage()}

    def _deltas(self) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "content": self._content(""), "refusal": None}
        for piece in pieces_of(self.text):
            yield {"content": piece}
        for index, call in enumerate(self._tool_calls()):
            name, arguments = call["function"].values()
            opened = {**call, "index": index, "function": {"name": name, "arguments": ""}}
            yield {"tool_calls": [opened]}
            for piece in pieces_of(arguments):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    def _content(self, text: str) -> str | None:
        """Null if the answer is calls alone."""
        return text if self.text or not self.calls else None

    def _tool_calls(self) -> Iterator[dict[str, Any]]:
        for name, arguments in self._written_calls():
            function = {"name": name, "arguments": arguments}
            yield {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}

    def _written_calls(self) -> Iterator[tuple[str, str]]:
        for name, given in self.calls:
            yield name, given if isinstance(given, str) else json.dumps(given)

    def _usage(self) -> dict[str, int]:
        calls = ("".join(call) for call in self._written_calls())
        completion = count_tokens(self.text, *calls)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }

    def _filtered(self, otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
        return FILTERED if self.end == "content_filter" else otherwise

    def _choice(self, reason: str | None, results: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "index": 0,
            "finish_reason": reason,
            "logprobs": None,
            "content_filter_results": results,
        }

    def _header(self, kind: str) -> dict[str, Any]:
        fixed = {"model": MODEL, "system_fingerprint": "fp_0000000000"}
        return {"id": self.id, "object": kind, "created": self.created, **fixed}


_PROMPT_RESULTS = [{"prompt_index": 0, "content_filter_results": SAFE_PROMPT}]
