"""Files: those of users, and those that the bot uploads with consent.

Microsoft references "Send and receive files using a bot", "driveItem: createUploadSession".
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage
from tests.support.timing import condition

CONSENT = "application/vnd.microsoft.teams.card.file.consent"


def form(
    page: TeamsPage, *files: tuple[str, bytes, str], message: object = None
) -> aiohttp.FormData:
    """A form with files, each a name, its content and its type; and with their message."""
    fields = {"user": page.user}
    if message is not None:
        fields["activity"] = json.dumps(message)
    data = aiohttp.FormData(fields)
    for name, content, kind in files:
        data.add_field("file", content, filename=name, content_type=kind)
    return data


async def send(page: TeamsPage, data: aiohttp.FormData, status: int = 200) -> Any:
    """POST a form to the conversation."""
    url = f"/api/chat{page.path}/files"
    async with page.http.post(url, data=data) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def content_of(page: TeamsPage, url: str) -> tuple[bytes, aiohttp.ClientResponse]:
    """What a URL returns without a token."""
    async with page.http.get(url) as response:
        assert response.status == 200
        return await response.read(), response


async def test_a_users_file(page: TeamsPage, bot: AdaptedBot) -> None:
    """The bot gets where to download it, without a token; the file never runs as a page."""
    await send(page, form(page, ("notes.TXT", b"content", "text/plain"), message={"text": "look"}))
    activity = await bot.wait_for("message")
    file, html = activity["attachments"]
    assert file["contentType"] == "application/vnd.microsoft.teams.file.download.info"
    assert file["name"] == "notes.TXT"
    assert file["content"]["fileType"] == "txt"
    assert len(file["content"]["uniqueId"]) == 36
    assert html["contentType"] == "text/html"
    assert activity["text"] == "look"
    content, response = await content_of(page, file["content"]["downloadUrl"])
    assert content == b"content"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_users_picture(
    page: TeamsPage, bot: AdaptedBot, connector: ConnectorCaller, cloud: Cloud
) -> None:
    """It is inline: the bot loads it with its token, the page without one."""
    await send(page, form(page, ("a.png", b"\x89PNG", "image/png")))
    activity = await bot.wait_for("message")
    picture, html = activity["attachments"]
    assert picture["contentType"] == "image/*"
    assert picture["contentUrl"] in html["content"]
    assert "text" not in activity
    file_id = picture["contentUrl"].split("/")[-3]
    status, info = await connector.call("GET", f"/attachments/{file_id}")
    assert (status, info["type"]) == (200, "image/png")

    async def look() -> Activity | None:
        return next((each for each in page.shown() if each.get("attachments")), None)

    shown = await condition.found(look)
    assert shown is not None
    url = shown["attachments"][0]["contentUrl"]
    assert url.startswith(cloud.pages.url)
    assert (await content_of(page, url))[0] == b"\x89PNG"


async def test_files_are_for_personal_chats(page: TeamsPage, bot: AdaptedBot) -> None:
    """In a group chat, people see the file, and the bot does not get it."""
    group = await page.create("group")
    await group.connect()
    content = {"text": "for people"}
    await send(group, form(group, ("a.txt", b"content", "text/plain"), message=content))
    shown = await group.sees("for people")
    assert len(shown["attachments"]) == 1
    bot_account = group.chat["bot"]
    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": bot_account}
    activity = {
        "type": "message",
        "text": "<at>Bot</at> look",
        "entities": [mention],
        "attachments": shown["attachments"],
    }
    await group.call("POST", f"{group.path}/activities", activity=activity)
    got = await bot.wait_for("message")
    assert [each["contentType"] for each in got["attachments"]] == ["text/html"]
    await group.close()


@pytest.fixture
def write_manifest(manifest_path: Path) -> Iterator[Callable[[object], object]]:
    """Writes the app's manifest, which is removed after the test."""
    yield lambda manifest: manifest_path.write_text(json.dumps(manifest))
    manifest_path.unlink(missing_ok=True)


async def test_files_for_a_bot_that_takes_none(
    page: TeamsPage, bot: AdaptedBot, write_manifest: Callable[[object], object]
) -> None:
    """Without `supportsFiles` in its manifest, a bot gets pictures only; the page says why."""
    write_manifest({"bots": [{"supportsFiles": False}]})
    sent = await send(page, form(page, ("a.txt", b"content", "text/plain")))
    event = await page.event("delivery", activityId=sent["id"], state="unsent")
    assert "supportsFiles" in event["text"]
    content = {"text": "a picture"}
    await send(page, form(page, ("a.png", b"\x89PNG", "image/png"), message=content))
    assert (await bot.wait_for("message"))["text"] == "a picture"
    write_manifest({"bots": [{"supportsFiles": True}]})
    await page.call("POST", f"{page.path}/activities/{sent['id']}/retry")
    assert (await bot.wait_for("message", 2))["id"] == sent["id"]


async def test_a_picture_for_the_bot_in_a_group_chat(page: TeamsPage, bot: AdaptedBot) -> None:
    """A message with a picture keeps its mention: in a group chat, it reaches the bot by that."""
    group = await page.create("group")
    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": group.chat["bot"]}
    card = {"contentType": "application/vnd.microsoft.card.hero", "content": {"title": "A card"}}
    message = {"text": "<at>Bot</at> look", "entities": [mention], "attachments": [card]}
    await send(group, form(group, ("a.png", b"\x89PNG", "image/png"), message=message))
    got = await bot.wait_for("message")
    assert mention in got["entities"]
    kinds = [each["contentType"] for each in got["attachments"]]
    assert kinds == ["image/*", card["contentType"], "text/html"]


async def consented(
    page: TeamsPage, bot: AdaptedBot, connector: ConnectorCaller, action: str
) -> Any:
    """The value of the invoke after the user has answered a consent card."""
    card = {"contentType": CONSENT, "name": "report.pdf", "content": {"acceptContext": {"n": 1}}}
    _, sent = await connector.send(page.chat["id"], "may I?", attachments=[card])
    await page.call(
        "POST",
        f"{page.path}/invoke",
        name="fileConsent/invoke",
        value={"action": action, "context": {"n": 1}},
        replyToId=sent["id"],
    )
    return (await bot.wait_for("invoke"))["value"]


async def put(
    page: TeamsPage, url: str, content: bytes | io.BytesIO, ranged: str = "", **headers: str
) -> tuple[int, Any]:
    """PUT a part of a file."""
    given = {"Content-Range": ranged} if ranged else {}
    async with page.http.put(url, data=content, headers={**given, **headers}) as response:
        return response.status, await response.json()


async def test_the_bot_uploads_a_file(
    page: TeamsPage, bot: AdaptedBot, connector: ConnectorCaller
) -> None:
    """With consent it gets a URL for the parts of the file, which users can then open."""
    value = await consented(page, bot, connector, "accept")
    assert (value["type"], value["action"], value["context"]) == ("fileUpload", "accept", {"n": 1})
    upload = value["uploadInfo"]
    assert (upload["name"], upload["fileType"]) == ("report.pdf", "pdf")
    url = upload["uploadUrl"]
    assert (await put(page, url, b"x", Authorization="Bearer x"))[0] == 401
    assert await put(page, url, b"0123", "bytes 0-3/10") == (
        202,
        {"nextExpectedRanges": ["4-9"]},
    )
    assert (await put(page, url, b"0123", "bytes 0-3/10"))[0] == 416
    assert (await put(page, url, b"45678", "bytes 4-9/10"))[0] == 416
    assert (await put(page, url, b"456789", "4-9"))[0] == 400
    status, item = await put(page, url, b"456789", "bytes 4-9/10")
    assert (status, item["name"], item["size"]) == (201, "report.pdf", 10)
    assert (await put(page, url, b"again"))[0] == 404
    content, response = await content_of(page, upload["contentUrl"])
    assert content == b"0123456789"
    assert response.content_type == "application/pdf"
    by_id, _ = await content_of(page, f"/api/chat/files/{upload['uniqueId']}")
    assert by_id == content


async def test_a_large_file_at_once(
    page: TeamsPage, bot: AdaptedBot, connector: ConnectorCaller
) -> None:
    """A part may be larger than other requests, and a file needs no parts."""
    upload = (await consented(page, bot, connector, "accept"))["uploadInfo"]
    large = b"x" * (9 * 1024 * 1024)
    status, item = await put(page, upload["uploadUrl"], io.BytesIO(large))
    assert (status, item["size"]) == (201, len(large))
    assert (await content_of(page, upload["contentUrl"]))[0] == large


async def test_a_declined_file(
    page: TeamsPage, bot: AdaptedBot, connector: ConnectorCaller
) -> None:
    """The bot gets no URL."""
    value = await consented(page, bot, connector, "decline")
    assert value == {"type": "fileUpload", "action": "decline", "context": {"n": 1}}


async def test_a_form_of_another_shape_is_a_400(page: TeamsPage) -> None:
    """A form needs files, its message must be an activity, and a body must be a form."""
    file = ("a.txt", b"content", "text/plain")
    await send(page, form(page, message={"text": "no file"}), 400)
    odd: list[object] = [[], {"text": 7}, {"attachments": 7}, {"attachments": [{}]}]
    for message in [*odd, {"channelData": 7}]:
        await send(page, form(page, file, message=message), 400)
    data = form(page, file)
    data.add_field("activity", "{")
    await send(page, data, 400)
    async with page.http.post(f"/api/chat{page.path}/files", json={}) as response:
        assert response.status == 400
    headers = {"Content-Type": "multipart/form-data"}  # without a boundary
    async with page.http.post(f"/api/chat{page.path}/files", headers=headers) as response:
        assert response.status == 400
    async with page.http.get("/api/chat/files/none") as response:
        assert response.status == 404
