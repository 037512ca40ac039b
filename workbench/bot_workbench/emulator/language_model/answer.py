"""Answer: what the model says, in the shapes of Azure's Chat Completions."""

import json
import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot_workbench.emulator.language_model.content_filter import FILTERED, SAFE, SAFE_PROMPT

End = Literal["stop", "content_filter", "length", "silent", "dead"]
"""How an answer ends: `silent` and `dead` send no end; `dead` cuts the connection."""

Call = tuple[str, Mapping[str, Any] | str]
"""A tool's name and arguments; text is sent as it is, even if it is no JSON."""

CHARACTERS = 4
"""The characters of a token, and so of a piece of a stream."""

MODEL = "stand-in-2025-01-01"
"""What the deployment is of."""


@dataclass(frozen=True)
class Answer:
    """An answer to one request.

    Attributes:
        text: what it says.
        calls: the tools that it calls.
        end: see `End`.
        prompt_tokens: of the request.
        id: the completion's.
        created: seconds since 1970.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    end: End = "stop"
    prompt_tokens: int = 0
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def is_whole(self) -> bool:
        """Whether its end is sent."""
        return self.end not in ("silent", "dead")

    @property
    def _finish_reason(self) -> str:
        return "tool_calls" if self.calls and self.end == "stop" else self.end

    def _tool_calls(self) -> list[dict[str, Any]]:
        return [
            {
                "id": f"call_{uuid.uuid4().hex[:24]}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for name, given in self.calls
        ]

    def usage(self) -> dict[str, Any]:
        """The tokens of the request and of the answer."""
        said = self.text + "".join(str(each) for each in self.calls)
        completion = tokens(said)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }

    def completion(self) -> dict[str, Any]:
        """The body of a response without a stream."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.text if self.text or not self.calls else None,
            "refusal": None,
        }
        if self.calls:
            message["tool_calls"] = self._tool_calls()
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": self._finish_reason,
            "logprobs": None,
            "content_filter_results": FILTERED if self.end == "content_filter" else SAFE,
        }
        return {
            **self._envelope("chat.completion"),
            "choices": [choice],
            "usage": self.usage(),
            "prompt_filter_results": _prompt_filter_results(),
        }

    def chunks(self, *, with_usage: bool) -> Iterator[dict[str, Any]]:
        """The chunks of a stream.

        Args:
            with_usage: whether a chunk with the usage is the last.
        """
        every: dict[str, Any] = {"usage": None} if with_usage else {}
        yield {
            "choices": [],
            "created": 0,
            "id": "",
            "model": "",
            "object": "",
            "prompt_filter_results": _prompt_filter_results(),
        }
        for delta in self._deltas():
            results = SAFE if delta.get("content") else {}
            yield self._chunk(delta, None, results) | every
        if not self.is_whole:
            return
        yield self._chunk({}, self._finish_reason, FILTERED if self.end == "content_filter" else {})
        if with_usage:
            yield {**self._envelope("chat.completion.chunk"), "choices": [], "usage": self.usage()}

    def _deltas(self) -> Iterator[dict[str, Any]]:
        content = "" if self.text or not self.calls else None
        yield {"role": "assistant", "content": content, "refusal": None}
        for piece in _pieces(self.text):
            yield {"content": piece}
        for index, call in enumerate(self._tool_calls()):
            function = call["function"]
            opened = {**call, "index": index, "function": {**function, "arguments": ""}}
            yield {"tool_calls": [opened]}
            for piece in _pieces(function["arguments"]):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    def _chunk(
        self, delta: Mapping[str, Any], reason: str | None, results: Mapping[str, Any]
    ) -> dict[str, Any]:
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": reason,
            "logprobs": None,
            "content_filter_results": results,
        }
        return {**self._envelope("chat.completion.chunk"), "choices": [choice]}

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": MODEL,
            "system_fingerprint": "fp_0000000000",
        }


def tokens(text: str) -> int:
    """How many tokens a text has, here."""
    return math.ceil(len(text) / CHARACTERS)


def _pieces(text: str) -> Iterator[str]:
    return (text[at : at + CHARACTERS] for at in range(0, len(text), CHARACTERS))


def _prompt_filter_results() -> list[dict[str, Any]]:
    return [{"prompt_index": 0, "content_filter_results": SAFE_PROMPT}]
