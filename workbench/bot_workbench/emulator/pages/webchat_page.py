"""WebChatPage: Microsoft's Web Chat in front of the bot, on the channel `webchat`."""

from pathlib import Path

from aiohttp import web

from bot_workbench.emulator.channel.direct_line import DirectLine
from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.pages.html_page import html_page

PAGE = Path(__file__).with_name("webchat_page.html")


class WebChatPage:
    """Shows Web Chat, which speaks Direct Line; a server has its routes.

    Args:
        direct_line: the conversations, served under /v3/directline.
        assets: has Web Chat's bundle, webchat.js.
        path: the page's.
        credential: how the bot signs in, shown in the page's header; empty: not shown.
    """

    def __init__(
        self, direct_line: DirectLine, assets: PageAssets, path: str, credential: str = ""
    ) -> None:
        self.credential = credential
        self._direct_line = direct_line
        self._assets = assets
        self._path = path

    def routes(self) -> list[web.RouteDef]:
        """The page's route, and Direct Line's."""
        return [web.get(self._path, self._page), *self._direct_line.routes()]

    async def _page(self, request: web.Request) -> web.Response:
        facts = {
            "endpoint": self._direct_line.channel.bot_endpoint,
            "credential": self.credential,
            "webchat": self._assets.has_library("webchat.js"),
        }
        sources = {
            # Web Chat reads files to upload from blob: URLs.
            "connect-src": f"'self' ws://{request.host} blob:",
            # Cards show images and media from any URL that the bot sends.
            "img-src": "'self' https: data: blob:",
            "media-src": "'self' https: data: blob:",
        }
        return html_page(PAGE, facts, sources)
