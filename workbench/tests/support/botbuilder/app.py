"""A bot on botbuilder's own adapter that uses each of its ways to get a token.

python -m tests.support.botbuilder.app PORT
"""

import os
import sys

from aiohttp import web
from botbuilder.core import ActivityHandler, BotAdapter, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.integration.aiohttp.aiohttp_channel_service_exception_middleware import (
    aiohttp_error_middleware,
)
from botbuilder.integration.aiohttp.skills import AioHttpClientFactory
from botframework.connector.auth import UserTokenClient

from auth.bot_framework import credentials_factory
from tests.support.botbuilder.configuration import BotbuilderConfiguration

CONNECTION = "graph"
TOKENS_IN_ONE_TURN = 3


class CommandBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Does what a message's first word says, and answers with what came of it."""

    def __init__(self, adapter: CloudAdapter, app_id: str) -> None:
        self._adapter = adapter
        self._app_id = app_id

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Call the command's method with the rest of the text."""
        command, _, rest = turn_context.activity.text.partition(" ")
        await turn_context.send_activity(await getattr(self, command)(turn_context, rest))

    async def echo(self, _: TurnContext, rest: str) -> str:
        """Repeat the text."""
        return rest

    async def members(self, context: TurnContext, _: str) -> str:
        """Count the members, with the connector client of the turn."""
        client = context.turn_state[BotAdapter.BOT_CONNECTOR_CLIENT_KEY]
        found = await client.conversations.get_conversation_members(
            context.activity.conversation.id
        )
        return str(len(found))

    async def link(self, context: TurnContext, _: str) -> str:
        """The kind of the sign-in link, from the token service."""
        client = context.turn_state[UserTokenClient.__name__]
        resource = await client.get_sign_in_resource(CONNECTION, context.activity, None)
        return "link" if resource.sign_in_link.startswith("http") else "none"

    async def token(self, context: TurnContext, _: str) -> str:
        """Whether the user has a token."""
        client = context.turn_state[UserTokenClient.__name__]
        activity = context.activity
        found = await client.get_user_token(
            activity.from_property.id, CONNECTION, activity.channel_id, None
        )
        return "token" if found else "none"

    async def skill(self, context: TurnContext, rest: str) -> str:
        """The status of a call to a skill, given its app id and URL."""
        skill_id, url = rest.split()
        client = self._adapter.bot_framework_authentication.create_bot_framework_client()
        activity = context.activity
        response = await client.post_activity(
            self._app_id, skill_id, url, "http://localhost/api/skills", "c", activity
        )
        return str(response.status)

    async def proactive(self, context: TurnContext, rest: str) -> str:
        """Send the text in a turn of the bot's own."""
        reference = TurnContext.get_conversation_reference(context.activity)

        async def say(turn: TurnContext) -> None:
            await turn.send_activity(rest)

        await self._adapter.continue_conversation(reference, say, self._app_id)
        return "sent"

    async def write(self, context: TurnContext, _: str) -> str:
        """Write until the turn's client, which stays the same, has had several tokens."""
        client = context.turn_state[BotAdapter.BOT_CONNECTOR_CLIENT_KEY]
        tokens: set[str] = set()
        while len(tokens) < TOKENS_IN_ONE_TURN:
            await context.send_activity("more")
            tokens.add(client.config.credentials.get_access_token())
        return "done"


def app() -> web.Application:
    """The app, with the process's settings."""
    factory = credentials_factory(os.environ)
    adapter = CloudAdapter(
        ConfigurationBotFrameworkAuthentication(
            BotbuilderConfiguration(os.environ),
            credentials_factory=factory,
            http_client_factory=AioHttpClientFactory(),
        )
    )
    bot = CommandBot(adapter, factory.app_id)

    async def messages(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await adapter.process(request, bot)
        return response

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="alive")

    async def close(_: web.Application) -> None:
        await factory.close()

    made = web.Application(middlewares=[aiohttp_error_middleware])
    made.router.add_post("/api/messages", messages)
    made.router.add_get("/alive", alive)
    made.on_cleanup.append(close)
    return made


if __name__ == "__main__":
    web.run_app(app(), host="127.0.0.1", port=int(sys.argv[1]))
