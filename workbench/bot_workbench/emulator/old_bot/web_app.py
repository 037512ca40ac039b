"""The old bot's web app: the messaging endpoint, as BotBuilder's samples have it."""

import logging
import socket
import sys
from collections.abc import Mapping

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.integration.aiohttp.aiohttp_channel_service_exception_middleware import (
    aiohttp_error_middleware,
)

from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.old_bot.bot_settings import BotSettings
from bot_workbench.emulator.old_bot.echo_bot import EchoBot

LOG = logging.getLogger("bot_workbench.emulator.old_bot")


def web_app(environ: Mapping[str, str]) -> web.Application:
    """The app, with BotBuilder's own sign-in and caller check.

    A turn that fails is answered 500, or 401 if it fails because Entra refuses the secret.

    Args:
        environ: see BotSettings.

    Raises:
        Exception: a setting is missing; BotBuilder raises no narrower class.
    """
    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(BotSettings(environ)))
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
        environ: see BotSettings.
        port: where it listens.
        listener: descriptor of a socket that listens already, in place of the port.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    app = web_app(environ)
    if listener is None:
        web.run_app(app, host=LOOPBACK, port=port, print=None, access_log=None)
    else:
        web.run_app(app, sock=socket.socket(fileno=listener), print=None, access_log=None)
