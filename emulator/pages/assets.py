"""PageAssets: the scripts and styles of the local pages, and the libraries that they use."""

from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).with_name("assets")
TYPES = {".js": "text/javascript", ".css": "text/css"}


class PageAssets:
    """Serves scripts and styles under /assets, and the libraries under /assets/libraries.

    Args:
        libraries: the folder with the libraries, see emulator.setup.page_libraries; None: there are
            none.
    """

    def __init__(self, libraries: Path | None) -> None:
        self._libraries = libraries

    def routes(self) -> list[web.RouteDef]:
        """The routes under /assets."""
        return [
            web.get("/assets/libraries/{name}", self._library),
            web.get("/assets/{folder}/{name}", self._own),
        ]

    def has_library(self, name: str) -> bool:
        """Whether a library is installed."""
        return self._libraries is not None and (self._libraries / name).is_file()

    async def _library(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if self._libraries is None or not self.has_library(name):
            raise web.HTTPNotFound(text=f"{name} is not set up: install Node.js, then make run")
        return _file(self._libraries / name)

    async def _own(self, request: web.Request) -> web.StreamResponse:
        file = FOLDER / request.match_info["folder"] / request.match_info["name"]
        if not file.resolve().is_relative_to(FOLDER) or not file.is_file():
            raise web.HTTPNotFound
        return _file(file)


def _file(file: Path) -> web.FileResponse:
    if file.suffix not in TYPES:
        raise web.HTTPNotFound
    headers = {
        "Cache-Control": "no-cache",
        "Content-Type": f"{TYPES[file.suffix]}; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
    }
    return web.FileResponse(file, headers=headers)
