"""PageAssets: the scripts and styles of the local pages, and the libraries that they use."""

from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).with_name("assets")
TYPES = {".js": "text/javascript", ".css": "text/css"}


class PageAssets:
    """Serves scripts and styles under /assets, and the libraries under /assets/libraries.

    Args:
        libraries: the folder with the libraries, see bot_workbench.setup.tools; None: there are
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
            raise web.HTTPNotFound(text=f"{name} is not installed: run make setup, then reload")
        return _file(self._libraries, name)

    async def _own(self, request: web.Request) -> web.StreamResponse:
        return _file(FOLDER, "{folder}/{name}".format(**request.match_info))


def _file(folder: Path, name: str) -> web.FileResponse:
    file = (folder / name).resolve()
    # A name may have `..` in it, and slashes, as %2F.
    is_inside = file.is_relative_to(folder.resolve())
    if not is_inside or not file.is_file() or file.suffix not in TYPES:
        raise web.HTTPNotFound
    headers = {
        "Cache-Control": "no-cache",
        "Content-Type": f"{TYPES[file.suffix]}; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
    }
    return web.FileResponse(file, headers=headers)
