"""StreamingChannel: a channel that takes streamed messages, in a time that passes by itself."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from cloud_adapter.adapter import TurnResponse
from cloud_adapter.turn_context import TurnContext
from http_client.observer import Ended, Facts, attach, detach
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Behaviour, Reply, ScriptedService

PERSONAL = {
    "type": "message",
    "text": "question",
    "channelId": "msteams",
    "conversation": {"id": "chat", "conversationType": "personal"},
}
"""A user's message in their chat with the bot in Teams."""


def refusal(status: int, message: str = "", retry_after: str = "") -> Behaviour:
    """An answer that refuses a call with this status and message, and maybe asks to wait."""
    code = "ContentStreamNotAllowed" if status == HTTPStatus.FORBIDDEN else "BadArgument"
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Reply(status, {"error": {"code": code, "message": message}}, headers)


async def lost(request: web.Request) -> web.StreamResponse:
    """Take a call, and close the connection in place of an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@dataclass(frozen=True)
class Call:
    """A call of the bot's.

    Attributes:
        at: seconds after the turn's begin.
        method: POST or PUT.
        path: behind the conversation's id.
        size: of the body, in bytes.
        activity: the body.
    """

    at: float
    method: str
    path: str
    size: int
    activity: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The activity's text; empty: it has none."""
        return str(self.activity.get("text", ""))

    @property
    def info(self) -> Mapping[str, Any]:
        """The properties of the activity's `streaminfo`; none: it is no part of a stream."""
        entities = self.activity.get("entities", [])
        found = [dict(each) for each in entities if each["type"] == "streaminfo"]
        return {name: value for each in found for name, value in each.items() if name != "type"}

    @property
    def about(self) -> list[Mapping[str, Any]]:
        """Its other entities."""
        return [each for each in self.activity.get("entities", []) if each["type"] != "streaminfo"]


class StreamingChannel:
    """The connector of a channel with streams, and a clock that moves on when all wait for it.

    Args:
        app: whose turns it starts.
        service: answers as the connector.
        clock: stopped.

    Attributes:
        calls: those of the bot so far.
        began_at: when the bot's code began, in event loop time (seconds).
        answers: what calls are answered in place of the channel's own answers, by their number; the
            first is 1.
        unfinished: how many calls there were while another one was not answered yet.
    """

    def __init__(self, app: ComposedApp, service: ScriptedService, clock: MovedClock) -> None:
        self.calls: list[Call] = []
        self.answers: dict[int, Behaviour] = {}
        self.unfinished = 0
        self.began_at = 0.0
        self._app = app
        self._service = service
        self._clock = clock
        self._requests = 0
        self._requests_ended = 0
        self._answering = 0
        service.otherwise = self._answer

    @property
    def now(self) -> float:
        """Seconds since the turn's begin."""
        return self._clock.time() - self.began_at

    @property
    def parts(self) -> list[tuple[float, str]]:
        """When each part came, and its text."""
        return [
            (round(each.at, 2), each.text)
            for each in self.calls
            if each.activity["type"] == "typing"
        ]

    @property
    def messages(self) -> list[str]:
        """The texts of all messages that were sent, but for the ends of streams."""
        return [
            each.text
            for each in self.calls
            if each.method == "POST" and each.activity["type"] == "message" and not each.info
        ]

    @property
    def kinds(self) -> list[str]:
        """What each call was: a streamType, `message` or `PUT`, `typing`."""
        return [
            each.info.get("streamType", each.activity["type"]) if each.method == "POST" else "PUT"
            for each in self.calls
        ]

    def activity(self, **more: Any) -> dict[str, Any]:
        """PERSONAL with an id, from this channel.

        Args:
            more: what differs.
        """
        content = {**PERSONAL, "id": "a1", "serviceUrl": self._service.url, **more}
        return self._app.activity(content)

    async def deliver(self, bot: Logic, **more: Any) -> TurnResponse:
        """Run a turn.

        Args:
            bot: the bot.
            more: see `activity`.
        """
        return await self.run(bot, lambda logic: self._app.deliver(self.activity(**more), logic))

    async def run[Result](
        self, bot: Logic, turn: Callable[[Logic], Coroutine[Any, Any, Result]]
    ) -> Result:
        """Run a turn; whenever nothing is left but to wait, the clock moves on to the next timer.

        Args:
            bot: the bot.
            turn: runs it.
        """
        has_begun = False

        async def noted(context: TurnContext) -> None:
            nonlocal has_begun
            self.began_at, has_begun = self._clock.time(), True
            await bot(context)

        with self._watched():
            task = asyncio.create_task(turn(noted))
            await self._clock.until(lambda: has_begun or task.done())
            while not task.done():
                ended = self._requests_ended
                await settled()
                # Fewer, if the bot has given a slow call up.
                is_quiet = self._requests <= self._answering and self._requests_ended == ended
                if is_quiet and not task.done():
                    self._clock.move(self._clock.until_next_timer() or 0.0)
        return await task

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Count the requests of the bot's HTTP client that are under way."""
        observer = SimpleNamespace(watches={"http.request": self._begun}, trace_parent=str)
        attach(observer)
        try:
            yield
        finally:
            detach(observer)

    def _begun(self, _: Facts) -> Ended:
        self._requests += 1
        return self._ended

    def _ended(self, *_: object) -> None:
        self._requests -= 1
        self._requests_ended += 1

    def slow(self, seconds: float) -> Behaviour:
        """The channel's own answer, after so long."""

        async def answer(request: web.Request) -> web.StreamResponse:
            own = self._own_answer()
            self._answering += 1
            await asyncio.sleep(seconds)
            self._answering -= 1
            return await own(request)

        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        seen = self._service.seen[-1]
        path = seen.path.partition("/conversations/")[2].partition("/")[2]
        self.calls.append(Call(self.now, seen.method, path, len(seen.body), seen.json))
        self.unfinished += self._answering > 0
        return await self.answers.get(len(self.calls), self._own_answer())(request)

    def _own_answer(self) -> Behaviour:
        call = self.calls[-1]
        if call.info.get("streamId"):
            return Reply(202, {})
        return Reply(201, {"id": f"m{len(self.calls)}"})
