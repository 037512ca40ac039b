"""InspectorPage: the web page that shows what happens in each of the bot's turns."""

from pathlib import Path

from aiohttp import web

from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.pages.html_page import html_page

PAGE = Path(__file__).with_name("inspector_page.html")


class InspectorPage:
    """Serves the page; Inspector has what it shows.

    Args:
        assets: the page's scripts, styles and libraries.
    """

    def __init__(self, assets: PageAssets) -> None:
        self._assets = assets

    def routes(self) -> list[web.RouteDef]:
        """The page's route."""
        return [web.get("/inspector", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        facts = {"installed": self._assets.has_library("htm.js")}
        sources = {
            "script-src": f"http://{request.host}/assets/",
            "style-src": f"http://{request.host}/assets/",
            "connect-src": f"'self' ws://{request.host}",
            # The page's icon is an empty data: URL.
            "img-src": "data:",
        }
        return html_page(PAGE, facts, sources)
