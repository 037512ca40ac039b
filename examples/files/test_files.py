"""Files."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_testing import Chat

pytestmark = pytest.mark.chat(channel="msteams")

CONSENT = "fileConsent/invoke"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"


class OneDrive:
    """Takes uploads as OneDrive does, and serves them.

    Attributes:
        files: the content by path.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        app = web.Application()
        app.router.add_put("/{name}", self._put)
        app.router.add_get("/{name}", self._get)
        self.server = TestServer(app)

    def url(self, path: str) -> str:
        """The URL of a file."""
        return str(self.server.make_url(path))

    async def _put(self, request: web.Request) -> web.Response:
        content = await request.read()
        assert request.headers["Content-Range"] == f"bytes 0-{len(content) - 1}/{len(content)}"
        self.files[request.path] = content
        return web.Response(status=201)

    async def _get(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.path])


@pytest.fixture
async def drive() -> AsyncIterator[OneDrive]:
    """The user's OneDrive."""
    drive = OneDrive()
    async with drive.server:
        yield drive


async def test_consent(chat: Chat, drive: OneDrive) -> None:
    """The file is uploaded where Teams says, and a card links to it."""
    [offer] = await chat.say("menu please")
    assert offer.attachments[0]["content"]["sizeInBytes"] == 30
    info = {
        "name": "menu.txt",
        "uploadUrl": drive.url("/menu.txt"),
        "contentUrl": "https://contoso.sharepoint.com/menu.txt",
        "uniqueId": "1",
        "fileType": "txt",
    }
    accepted = {"type": "fileUpload", "action": "accept", "uploadInfo": info}
    [link] = await chat.invoke(CONSENT, accepted)
    assert drive.files["/menu.txt"].startswith(b"Monday: soup.")
    assert link.attachments[0]["contentUrl"] == info["contentUrl"]


async def test_no_consent(chat: Chat) -> None:
    """The user declines."""
    [reply] = await chat.invoke(CONSENT, {"type": "fileUpload", "action": "decline"})
    assert reply.text == "OK, I won't send it."


@pytest.mark.parametrize(("size", "counted"), [(3, 3), (900_000, 900_000), (1_000_001, 1_000_000)])
async def test_a_file_from_the_user(chat: Chat, drive: OneDrive, size: int, counted: int) -> None:
    """The bot downloads the file, up to a limit."""
    drive.files["/notes.txt"] = bytes(size)
    content = {"downloadUrl": drive.url("/notes.txt"), "fileType": "txt"}
    sent = {"name": "notes.txt", "contentType": DOWNLOAD, "content": content}
    [reply] = await chat.say("", attachments=[sent])
    assert reply.text == f"notes.txt has {counted} bytes."
