"""ChatPage: the web page where a developer talks to the bot, as users do in Teams."""

from pathlib import Path

from aiohttp import web

from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.pages.html_page import html_page

PAGE = Path(__file__).with_name("chat_page.html")
LIBRARIES = ("htm.js", "markdown-it.js", "adaptivecards.js")
"""The files that the page cannot do without."""


class ChatPage:
    """Serves the page; TeamsChannel has its conversations, Inspector the bot's turns.

    Args:
        channel: knows the bot's endpoint.
        assets: the page's scripts, styles and libraries.
        credential: how the bot signs in.
    """

    def __init__(self, channel: Channel, assets: PageAssets, credential: str) -> None:
        self.credential = credential
        self._channel = channel
        self._assets = assets

    def routes(self) -> list[web.RouteDef]:
        """The page's route."""
        return [web.get("/", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        facts = {
            "endpoint": self._channel.bot_endpoint,
            "credential": self.credential,
            "installed": all(self._assets.has_library(name) for name in LIBRARIES),
        }
        sources = {
            "script-src": f"http://{request.host}/assets/",
            "style-src": f"http://{request.host}/assets/",
            "connect-src": f"'self' ws://{request.host}",
            # Cards show images and media from any URL that the bot sends.
            "img-src": "'self' https: data: blob:",
            "media-src": "'self' https: data: blob:",
            # Dialogs show pages of the bot's.
            "frame-src": "http: https:",
        }
        page = html_page(PAGE, facts, sources)
        # Sign-in pages of the bot's own talk to their opener, as in Teams.
        page.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
        return page
