"""ChatPage: the web page where a developer talks to the bot."""

from pathlib import Path

from aiohttp import web

from emulator.channel.direct_line import DirectLine
from emulator.pages.html_page import html_page
from emulator.pages.sign_in_page import SignInPage
from emulator.server import Server

PAGE = Path(__file__).with_name("chat_page.html")


class ChatPage:
    """Serves the page, Web Chat's bundle, Direct Line and the sign-in page over plain HTTP.

    Args:
        direct_line: the conversations, served under /v3/directline.
        sign_in_page: the page behind the bot's sign-in links.
        webchat_bundle: path of webchat.js; None or a missing file gives a plain text chat.
        credential: how the bot signs in, shown in the page's header; empty: not shown.
    """

    def __init__(
        self,
        direct_line: DirectLine,
        sign_in_page: SignInPage,
        webchat_bundle: Path | None,
        credential: str = "",
    ) -> None:
        self.direct_line = direct_line
        self.webchat_bundle = webchat_bundle
        self.credential = credential
        routes = [web.get("/", self._page), web.get("/webchat.js", self._bundle)]
        routes += [*direct_line.routes(), *sign_in_page.routes()]
        self.server = Server("chat", routes, loopback_host_only=True)

    def _has_bundle(self) -> bool:
        return self.webchat_bundle is not None and self.webchat_bundle.is_file()

    async def _page(self, request: web.Request) -> web.Response:
        facts = {
            "endpoint": self.direct_line.channel.bot_endpoint,
            "credential": self.credential,
            "webchat": self._has_bundle(),
        }
        sources = {
            # Web Chat reads files to upload from blob: URLs.
            "connect-src": f"'self' ws://{request.host} blob:",
            # Cards show images and media from any URL that the bot sends.
            "img-src": "'self' https: data: blob:",
            "media-src": "'self' https: data: blob:",
        }
        return html_page(PAGE, facts, sources)

    async def _bundle(self, _: web.Request) -> web.StreamResponse:
        if self.webchat_bundle is None or not self._has_bundle():
            raise web.HTTPNotFound(text="Web Chat is not set up: install Node.js, then make run")
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(self.webchat_bundle, headers=headers)
