"""The old bot's web app: the messaging endpoint, as BotBuilder's samples have it."""

import logging
import socket
import sys
from collections.abc import Mapping
from types import SimpleNamespace

from aiohttp import web
from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.integration.aiohttp.aiohttp_channel_service_exception_middleware import (
    aiohttp_error_middleware,
)
from botbuilder.schema import ChannelAccount

from bot_workbench.emulator.loopback import LOOPBACK

LOG = logging.getLogger("bot_workbench.emulator.old_bot")

PREFIX = "Old bot: "


class EchoBot(ActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Greets each user and repeats each message, as BotBuilder's first sample does."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Repeat the message."""
        await turn_context.send_activity(f"{PREFIX}{turn_context.activity.text}")

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Greet everyone but the bot itself."""
        for member in members_added:
            if member.id != turn_context.activity.recipient.id:
                await turn_context.send_activity(f"{PREFIX}welcome")


def web_app(environ: Mapping[str, str]) -> web.Application:
    """The app, with BotBuilder's own sign-in and caller check.

    A turn that fails is answered 500, or 401 if it fails because Entra refuses the secret.

    Args:
        environ: has MicrosoftAppId, MicrosoftAppPassword, MicrosoftAppType and
            MicrosoftAppTenantId, as samples for App Service do.

    Raises:
        Exception: a setting is missing; BotBuilder raises no narrower class.
    """
    settings = SimpleNamespace(
        APP_ID=environ.get("MicrosoftAppId", ""),
        APP_PASSWORD=environ.get("MicrosoftAppPassword", ""),
        APP_TYPE=environ.get("MicrosoftAppType", "MultiTenant"),
        APP_TENANTID=environ.get("MicrosoftAppTenantId", ""),
    )
    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(settings))
    adapter.on_turn_error = _fail
    bot = EchoBot()

    async def messages(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await adapter.process(request, bot)
        return response

    app = web.Application(middlewares=[aiohttp_error_middleware])
    app.router.add_post("/api/messages", messages)
    app.router.add_get("/", _home)
    return app


async def _fail(_: TurnContext, error: Exception) -> None:
    LOG.error("A turn failed: %s: %s", type(error).__name__, error)
    raise error


async def _home(_: web.Request) -> web.Response:
    return web.Response(text="The old bot is running.\n")


def main(environ: Mapping[str, str], port: int, listener: int | None = None) -> None:
    """Serve the app on loopback until SIGTERM.

    Args:
        environ: see web_app.
        port: where it listens.
        listener: descriptor of a socket that listens already, in place of the port.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    app = web_app(environ)
    if listener is None:
        web.run_app(app, host=LOOPBACK, port=port, print=None, access_log=None)
    else:
        web.run_app(app, sock=socket.socket(fileno=listener), print=None, access_log=None)
