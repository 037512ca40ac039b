"""The web app: BotBuilder's adapter, and credentials without a secret."""

import os
import sys
from collections.abc import Mapping, Sequence

from aiohttp import web
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.integration.aiohttp.aiohttp_channel_service_exception_middleware import (
    aiohttp_error_middleware,
)

from auth.bot_framework import credentials_factory
from auth.errors import SettingsError

from .echo_bot import EchoBot

DEFAULT_PORT = "3978"
"""The port that Bot Framework's tools expect."""


class Configuration:
    """BotBuilder's own settings: in the public cloud none, because the factory signs in."""


def create_app(environ: Mapping[str, str], configuration: object) -> web.Application:
    """The app.

    Args:
        environ: the settings that choose the credential, such as MicrosoftAppType.
        configuration: BotBuilder's own settings.
    """
    factory = credentials_factory(environ)
    adapter = CloudAdapter(
        ConfigurationBotFrameworkAuthentication(configuration, credentials_factory=factory)
    )
    bot = EchoBot()

    async def messages(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await adapter.process(request, bot)
        return response

    async def close(_: web.Application) -> None:
        await factory.close()

    app = web.Application(middlewares=[aiohttp_error_middleware])
    app.router.add_post("/api/messages", messages)
    app.on_cleanup.append(close)
    return app


def port_of(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The port to listen on: the first argument, or PORT, which App Service sets, or 3978."""
    return int(arguments[0] if arguments else environ.get("PORT", DEFAULT_PORT))


if __name__ == "__main__":
    try:
        app = create_app(os.environ, Configuration())
    except SettingsError as error:
        sys.exit(str(error))
    web.run_app(app, port=port_of(sys.argv[1:], os.environ))
