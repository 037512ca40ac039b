"""PageAssets: scripts, styles and libraries, and nothing else of the disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from bot_workbench.emulator.pages.assets import PageAssets
from bot_workbench.emulator.server import Server


@pytest_asyncio.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The base URL of a server whose libraries are one file, beside others that are not for it."""
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "htm.js").write_text("export {};")
    (libraries / "notes.txt").write_text("no script")
    (tmp_path / "elsewhere.js").write_text("no library")
    server = Server("pages", PageAssets(libraries).routes())
    await server.start()
    yield server.url
    await server.stop()


async def answer(url: str) -> tuple[int, str, str]:
    """Status, type and text of a GET, whose URL is sent as it is."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(url, encoded=True)) as response,
    ):
        return response.status, response.content_type, await response.text()


async def test_scripts_styles_and_libraries(url: str) -> None:
    """They have their types, and browsers ask each time whether they are the newest."""
    assert (await answer(f"{url}/assets/chat/main.js"))[:2] == (200, "text/javascript")
    assert (await answer(f"{url}/assets/shared/theme.css"))[:2] == (200, "text/css")
    assert (await answer(f"{url}/assets/libraries/htm.js"))[2] == "export {};"
    async with aiohttp.ClientSession() as session, session.get(f"{url}/assets/chat/main.js") as got:
        assert got.headers["Cache-Control"] == "no-cache"


async def test_a_library_that_is_missing(url: str) -> None:
    """The answer says how to get it."""
    status, _, text = await answer(f"{url}/assets/libraries/markdown-it.js")
    assert (status, text) == (
        404,
        "markdown-it.js is not installed: run make setup, then reload",
    )


@pytest.mark.parametrize(
    "path",
    [
        "chat/none.js",
        "chat/..%2Fchat%2Fnone.js",
        "..%2F/assets.py",
        "libraries/notes.txt",
        "libraries/..%2Felsewhere.js",
    ],
)
async def test_nothing_else(url: str, path: str) -> None:
    """Other types of files, and files of other folders, are not there."""
    assert (await answer(f"{url}/assets/{path}"))[0] == 404
