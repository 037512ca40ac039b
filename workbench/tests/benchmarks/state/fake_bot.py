"""FakeBot: a bot on the wire that says what a test tells it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from benchmarks.traffic.connector import ReplyConnector


class FakeBot:
    """A bot on the wire that replies once it has answered, as a queued turn does.

    Attributes:
        replies: types and texts of what it says; `{id}` stands for the message's id, `{count}` for
            the count.
        status: by the message's number in its conversation: the response's status. A refused
            message has no reply.
        count: by the same number: the count.
        activities: what it was sent.
        port: where it listens.
    """

    def __init__(self, connector: ReplyConnector) -> None:
        self._connector = connector
        self.replies = [("message", "{count} {id}")]
        self.status: Callable[[int], int] = lambda _: 202
        self.count: Callable[[int], int] = lambda number: number
        self.activities: list[dict[str, Any]] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/api/messages", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        activity = await request.json()
        self.activities.append(activity)
        conversation = activity["conversation"]
        number = sum(each["conversation"] == conversation for each in self.activities)
        status = self.status(number)
        if status == 202:
            asyncio.get_running_loop().call_later(0.01, self._reply, activity["id"], number)
        return web.Response(status=status)

    def _reply(self, turn: str, number: int) -> None:
        for kind, text in self.replies:
            said = text.format(id=turn, count=self.count(number))
            body = json.dumps({"type": kind, "text": said})
            self._connector.take_reply(turn.encode(), body.encode())
