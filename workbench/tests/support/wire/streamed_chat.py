"""StreamedChat: a user's chat with the bot, to which workers stream, and what the user sees."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from http_client.observer import Ended, Facts, Watch
from tests.support.timing.condition import SECONDS
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Behaviour, Reply, ScriptedService

ID = "chat"

KEY = f"msteams/conversations/{ID}"
"""The key of the conversation's state."""

STREAMED = ["part", "part", "final"]
"""The calls of an answer that grows twice."""


class StreamedChat:
    """Takes streams and messages, as the connector of Teams does. It refuses nothing by itself.

    It is also an observer of requests, so that no time passes while one is under way.

    Args:
        service: answers for it.
        clock: the event loop's.

    Attributes:
        watches: those of an observer.
        calls: what workers have asked for so far: `part`, `final`, `message` or `replace`.
        answers: what calls of such a kind get, in place of being carried out.
    """

    def __init__(self, service: ScriptedService, clock: MovedClock) -> None:
        self.watches: Mapping[str, Watch] = {"http.request": self._request}
        self.calls: list[str] = []
        self.answers: dict[str, Behaviour] = {}
        self._service = service
        self._clock = clock
        self._requests = 0
        self._texts: dict[str, str] = {}
        self._open: set[str] = set()
        service.otherwise = self.answer

    def _request(self, _: Facts) -> Ended:
        self._requests += 1

        def ended(*_: object) -> None:
            self._requests -= 1

        return ended

    def trace_parent(self) -> str:
        """None."""
        return ""

    @property
    def shown(self) -> list[str]:
        """The texts of all messages, oldest first; one that has not ended has an ellipsis."""
        return [f"{text}…" if each in self._open else text for each, text in self._texts.items()]

    def taken(self) -> list[str]:
        """The calls since the last look."""
        found = list(self.calls)
        self.calls.clear()
        return found

    async def passes(self, condition: Callable[[], bool]) -> None:
        """Let time pass until a condition is true.

        Raises:
            AssertionError: it does not come true in time.
        """
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, "the condition did not come true in time"
            if not self._requests:
                self._clock.move(0.5)
            await settled()

    async def shows(self, text: str) -> None:
        """Let time pass until a message that grows has this text."""
        await self.passes(lambda: f"{text}…" in self.shown)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a worker's call."""
        activity = await request.json()
        kind, stream_id = _kind(request.method, activity)
        self.calls.append(kind)
        if kind in self.answers:
            return await self.answers[kind](request)
        found = stream_id or (_last(request) if kind == "replace" else f"m{len(self._texts) + 1}")
        is_new = found not in self._texts
        self._texts[found] = activity["text"]
        (self._open.add if kind == "part" else self._open.discard)(found)
        return await Reply(201 if is_new else 202, {"id": found} if is_new else {})(request)

    def message(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """The user's message, with what is different this time."""
        return {
            "type": "message",
            "text": "question",
            "id": "a1",
            "channelId": "msteams",
            "serviceUrl": self._service.url,
            "conversation": {"id": ID, "conversationType": "personal"},
            **more,
        }


def _kind(method: str, activity: dict[str, Any]) -> tuple[str, str]:
    """What a call is, and the id of its stream; empty: it has none."""
    if method == "PUT":
        return "replace", ""
    infos = [each for each in activity.get("entities") or [] if each["type"] == "streaminfo"]
    if not infos:
        return "message", ""
    kind = "final" if infos[0]["streamType"] == "final" else "part"
    return kind, infos[0].get("streamId", "")


def _last(request: web.Request) -> str:
    return request.path.rpartition("/")[2]


def refusal(message: str) -> Behaviour:
    """Teams' refusal of a stream, with a text."""
    return Reply(403, {"error": {"code": "ContentStreamNotAllowed", "message": message}})
