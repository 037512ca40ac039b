"""RecordedBot: a bot in a host of its own, whose turns a feed records."""

import uuid
from typing import Any

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.channel import BotAnswer
from bot_workbench.emulator.channel.conversations import Activity, Conversation
from tests.support.recording.feed_thread import FeedThread

USER = {"id": "user-1", "name": "You", "role": "user"}

BOT = '''
import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import InvokeResponse

log = logging.getLogger(__name__)
pool = ThreadPoolExecutor(max_workers=1)


class Bot(ActivityHandler):
    """Does in a turn what a message says."""

    def __init__(self, services):
        self._services = services
        self._count = services.conversation_state.create_property("count")
        self._tasks = set()

    async def on_message_activity(self, turn_context):
        text = turn_context.activity.text
        command, _, rest = text.partition(" ")
        await getattr(self, command, self.echo)(turn_context, rest)

    async def echo(self, turn_context, rest):
        await turn_context.send_activity(f"You said: {turn_context.activity.text}")

    async def count(self, turn_context, rest):
        count = await self._count.get(turn_context, lambda: 0) + 1
        await self._count.set(turn_context, count)
        await turn_context.send_activity(f"Count: {count}")

    async def keep(self, turn_context, rest):
        await self._count.set(turn_context, rest)

    async def clear(self, turn_context, rest):
        await self._services.conversation_state.delete(turn_context)

    async def fill(self, turn_context, rest):
        await self._count.set(turn_context, "x" * int(rest))

    async def fail(self, turn_context, rest):
        raise ValueError(f"as asked: {rest}")

    async def block(self, turn_context, rest):
        Path(rest).read_bytes()  # a named pipe: until the test writes to it

    async def log(self, turn_context, rest):
        log.info("info %s", rest)
        log.warning("warning %s", rest)
        try:
            raise KeyError("logged")
        except KeyError:
            log.exception("exception %s", rest)

    async def threads(self, turn_context, rest):
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(log.info, "to_thread %s", rest)
        await loop.run_in_executor(None, log.info, "run_in_executor %s", rest)
        await loop.run_in_executor(pool, log.info, "pool %s", rest)
        thread = threading.Thread(target=log.info, args=("thread %s", rest))
        thread.start()
        await asyncio.to_thread(thread.join)
        loop.call_soon(log.info, "callback %s", rest)

    async def released(self, turn_context, rest):
        go = threading.Event()
        future = pool.submit(go.wait)
        future.add_done_callback(lambda _: log.info("released %s", rest))
        go.set()
        await asyncio.wrap_future(future)

    async def background(self, turn_context, rest):
        async def later():
            await asyncio.sleep(0.2)
            log.info("background %s", rest)

        task = asyncio.create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def mix(self, turn_context, rest):
        for number in range(5):
            log.info("mix %s", rest)
            await asyncio.sleep(0.01)
            await asyncio.to_thread(log.info, "mix %s", rest)
        await turn_context.send_activity(f"mix {rest}")

    async def proactive(self, turn_context, rest):
        reference = TurnContext.get_conversation_reference(turn_context.activity)

        async def say(context):
            log.info("proactive %s", rest)
            await context.send_activity("Later")

        await self._services.adapter.continue_conversation(reference, say)

    async def notify(self, turn_context, rest):
        await self._services.notify(turn_context.activity.conversation.id, f"Notified {rest}")

    async def fetch(self, turn_context, rest):
        import aiohttp
        import requests

        base, _, path = rest.rpartition("/")
        async with aiohttp.ClientSession(f"{base}/") as session, session.get(path):
            pass
        await asyncio.to_thread(requests.head, rest, timeout=10)

    async def visit(self, turn_context, rest):
        import httpx
        import httpx2

        for library in (httpx, httpx2):
            await asyncio.to_thread(library.get, f"{rest}/{library.__name__}.Client")
            async with library.AsyncClient() as client:
                await client.get(f"{rest}/{library.__name__}.AsyncClient")

    async def token(self, turn_context, rest):
        client = turn_context.turn_state["UserTokenClient"]
        activity = turn_context.activity
        await client.get_user_token(
            activity.from_property.id, "bot-sign-in", activity.channel_id, rest or None
        )

    async def on_invoke_activity(self, turn_context):
        return InvokeResponse(status=200, body={"answer": turn_context.activity.value})


def create_bot(services):
    services.typing_indicator = False
    return Bot(services)
'''

ROUTES = """
import logging

import azure.functions as func

log = logging.getLogger(__name__)


def create_routes(ready):
    routes = func.Blueprint()

    @routes.timer_trigger("timer", "0 0 0 1 1 *")
    async def yearly(timer: func.TimerRequest) -> None:
        services = await ready()
        log.info("yearly")

    @routes.route("greet", auth_level=func.AuthLevel.ANONYMOUS)
    def greet(req: func.HttpRequest) -> func.HttpResponse:
        log.info("greet in a thread")
        if req.params.get("fail"):
            raise ValueError("greet fails")
        return func.HttpResponse("hello")

    return routes
"""

APP = {"bot_logic/__init__.py": BOT, "bot_logic/routes.py": ROUTES}
"""The files of a bot that does what messages say, with functions of its own."""


class _Watcher:
    """Watches the channel, which then names the turns."""

    def delivering(self, turn: str, activity: Activity, token: str) -> None:
        """Called before a delivery."""

    def delivered(self, answer: BotAnswer) -> None:
        """Called after it."""


class RecordedBot:
    """Talks to a bot as the channel does.

    Args:
        cloud: in front of it; its channel names the turns from now on.
        messages: the URL of the bot's messaging endpoint.
        feed: gets what the bot's process reports.

    Attributes:
        account: the bot's.
        conversation: of the user with the bot.
    """

    def __init__(self, cloud: CloudThread, messages: str, feed: FeedThread) -> None:
        self.cloud, self.messages, self.feed = cloud, messages, feed
        cloud.cloud.channel.observer = _Watcher()
        cloud.cloud.channel.bot_endpoint = messages
        self.account = {
            "id": cloud.cloud.registration.app_id,
            "name": "Bot",
            "role": "bot",
        }
        self.conversation: Conversation = cloud.call(
            cloud.cloud.conversations.create, [USER, self.account]
        )

    def activity(self, **content: Any) -> dict[str, Any]:
        """An activity of the user's."""
        return {
            "id": uuid.uuid4().hex,
            "channelId": "webchat",
            "serviceUrl": f"{self.cloud.cloud.connector.server.url}/",
            "from": USER,
            "recipient": self.account,
            "conversation": {"id": self.conversation.id},
            **content,
        }

    def deliver(self, **content: Any) -> BotAnswer:
        """Deliver an activity; the answer names its turn."""
        return self.cloud.do(self.cloud.cloud.channel.deliver(self.activity(**content)))

    def say(self, text: str) -> str:
        """Deliver a message, wait until its end is recorded, and return the turn's id."""
        turn = self.deliver(type="message", text=text).turn
        self.feed.wait_for_end(turn)
        return turn
