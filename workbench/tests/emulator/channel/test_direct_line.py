"""DirectLine: the protocol as Web Chat speaks it; the browser itself is in test_webchat_page."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from bot_workbench.emulator.channel.connector_operations import bot_account
from bot_workbench.emulator.channel.conversations import Attachment, Conversation
from bot_workbench.emulator.channel.direct_line import DirectLine
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.channel.user_tokens import UserConnection, UserSignIn
from tests.emulator.channel.direct_line_client import (
    BOT,
    CONNECTOR,
    MEMBER,
    USER,
    DirectLineClient,
    RecordingBot,
    noticed,
    visible,
)
from tests.emulator.registered_bot import APP_ID

CARD = "application/vnd.microsoft.card.adaptive"


async def test_a_start_is_sent_to_the_bot(client: DirectLineClient, bot: RecordingBot) -> None:
    """The bot gets one conversationUpdate with both members, as channels send it."""
    started = await client.start()
    update = await bot.wait_for("conversationUpdate")
    assert [member["id"] for member in update["membersAdded"]] == [APP_ID, "user-1"]
    assert update["conversation"] == {"id": started["conversationId"]}
    assert (update["channelId"], update["serviceUrl"]) == ("webchat", f"{CONNECTOR}/")
    assert (update["from"]["role"], update["recipient"]) == ("user", BOT)
    assert await visible(client) == []


async def test_a_user_has_signed_in(
    direct_line: DirectLine, client: DirectLineClient, bot: RecordingBot
) -> None:
    """The bot gets the token in an event of the user's, which no client is shown."""
    await client.start()
    target = UserConnection("user-1", "graph", "webchat")
    sign_in = UserSignIn("s1", target, "First user", client.conversation_id, 0.0)
    direct_line.announce(sign_in, {"connectionName": "graph", "token": "secret"})
    event = await bot.wait_for("event")
    assert (event["name"], event["value"]["token"]) == ("tokens/response", "secret")
    assert event["conversation"] == {"id": client.conversation_id}
    assert (event["from"], event["recipient"]) == (MEMBER, BOT)
    assert event["id"]
    assert await visible(client) == []
    other = replace(sign_in, conversation_id="x")
    with pytest.raises(ChannelError, match="not known"):
        direct_line.announce(other, {})
    in_teams = replace(sign_in, target=UserConnection("user-1", "graph", "msteams"))
    with pytest.raises(ChannelError, match="another channel"):
        direct_line.announce(in_teams, {})


async def test_a_conversation_starts_once(client: DirectLineClient, bot: RecordingBot) -> None:
    """A second start with the same token returns the same conversation and sends nothing."""
    started = await client.start()
    await bot.wait_for("conversationUpdate")
    again = await client.call("POST", "/conversations", 200)
    assert again["conversationId"] == started["conversationId"]
    await client.post({"type": "message", "text": "hello"})
    await bot.wait_for("message")
    assert [activity["type"] for activity in bot.activities] == ["conversationUpdate", "message"]


@pytest.mark.usefixtures("conversation")
async def test_a_message_is_echoed_and_delivered(
    client: DirectLineClient, bot: RecordingBot
) -> None:
    """The client sees its message with id, time and channel data; the bot gets all of it."""
    sent = {
        "type": "message",
        "text": "hello",
        "locale": "en-GB",
        "from": {"id": "somebody else"},
        "channelData": {"clientActivityID": "c1"},
    }
    answer = await client.post(sent)
    (echo,) = await visible(client)
    assert (echo["id"], echo["channelData"]) == (answer["id"], {"clientActivityID": "c1"})
    assert echo["from"] == {**USER, "role": "user"}
    delivered = await bot.wait_for("message")
    assert delivered == echo
    assert (delivered["text"], delivered["locale"], delivered["recipient"]) == (
        "hello",
        "en-GB",
        BOT,
    )


@pytest.mark.usefixtures("conversation")
async def test_the_post_does_not_wait_for_the_bot(
    client: DirectLineClient, bot: RecordingBot
) -> None:
    """A silent bot does not delay the response; closing cancels the delivery."""
    bot.server.faults.set(silent=True)
    async with asyncio.timeout(30):
        await client.post({"type": "message", "text": "are you there?"})
    assert len(await visible(client)) == 1


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_refusal_of_the_bot_is_shown(
    client: DirectLineClient, conversation: Conversation, bot: RecordingBot, status: int
) -> None:
    """The bot's error status is shown in the conversation."""
    bot.status = status
    await client.post({"type": "message", "text": "hello"})
    assert await noticed(conversation) == f"The bot answered {status}."


async def test_an_unreachable_bot_is_shown(
    client: DirectLineClient, direct_line: DirectLine, bot: RecordingBot
) -> None:
    """The endpoint of an unreachable bot is shown in the conversation."""
    await bot.server.stop()
    await client.start()
    conversation = direct_line.conversations.find(client.conversation_id)
    endpoint = direct_line.channel.bot_endpoint
    assert await noticed(conversation) == f"The bot cannot be reached at {endpoint}"


async def test_a_silent_bot_is_shown(
    client: DirectLineClient, conversation: Conversation, direct_line: DirectLine, bot: RecordingBot
) -> None:
    """A bot that does not respond within the channel's timeout is shown."""
    bot.server.faults.set(silent=True)
    direct_line.channel.timeout = 0.05
    await client.post({"type": "message", "text": "hello"})
    assert await noticed(conversation) == "The bot did not answer within 0.05 seconds."


async def test_polling_goes_on_from_the_watermark(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """Each change is delivered once; without a watermark all of them."""
    conversation.add({"type": "message", "text": "one", "from": BOT})
    first = await client.call("GET", f"{client.activities}?watermark=")
    conversation.add({"type": "message", "text": "two", "from": BOT})
    news = await visible(client, first["watermark"])
    assert [activity["text"] for activity in news] == ["two"]
    assert [activity["text"] for activity in await visible(client, "-")] == ["one", "two"]


async def test_the_stream_pushes_changes(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """The stream sends existing, new, updated and deleted activities; keep-alives do no harm."""
    stored = conversation.add({"type": "message", "text": "one", "from": BOT})
    async with asyncio.timeout(30), client.http.ws_connect(client.stream_url) as socket:
        (first,) = (await socket.receive_json())["activities"]
        await socket.send_str("")
        conversation.update(stored["id"], {**stored, "text": "two"})
        (updated,) = (await socket.receive_json())["activities"]
        conversation.delete(stored["id"])
        (deleted,) = (await socket.receive_json())["activities"]
    assert (first["text"], updated["text"], updated["id"]) == ("one", "two", first["id"])
    assert (deleted["type"], deleted["id"]) == ("messageDelete", first["id"])


async def test_polling_leaves_typing_out(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """Only the WebSocket brings the parts of a stream; both bring its final message."""
    conversation.add({"type": "typing", "text": "a", "from": BOT})
    conversation.add({"type": "message", "text": "a b", "from": BOT})
    assert [activity["text"] for activity in await visible(client)] == ["a b"]
    async with asyncio.timeout(30), client.http.ws_connect(client.stream_url) as socket:
        pushed = (await socket.receive_json())["activities"]
    assert [activity["text"] for activity in pushed] == ["a", "a b"]


async def test_a_reconnection_goes_on_from_its_watermark(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """A reconnection gets a new token, and a stream that continues from its watermark."""
    conversation.add({"type": "message", "text": "one", "from": BOT})
    seen = await client.call("GET", client.activities)
    path = f"/conversations/{conversation.id}?watermark={seen['watermark']}"
    again = await client.call("GET", path)
    assert again["token"] != client.token
    conversation.add({"type": "message", "text": "two", "from": BOT})
    async with asyncio.timeout(30), client.http.ws_connect(again["streamUrl"]) as socket:
        (activity,) = (await socket.receive_json())["activities"]
    assert activity["text"] == "two"


async def test_unknown_replies_and_hidden_types_are_left_out(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """A `replyToId` of an unknown activity, and hidden types, are not sent to the client."""
    update = conversation.changes[0]
    known = conversation.add({"type": "message", "from": BOT})
    for replied in ("unknown", update["id"], known["id"]):
        conversation.add({"type": "message", "from": BOT, "replyToId": replied})
    conversation.add({"type": "trace", "from": BOT})
    replies = [activity.get("replyToId") for activity in await visible(client)]
    assert replies == [None, None, None, known["id"]]


async def test_files_of_the_connector_come_from_the_page(
    client: DirectLineClient, conversation: Conversation, direct_line: DirectLine
) -> None:
    """The connector's file URLs are replaced by the page's, which a browser trusts."""
    file = Attachment("dot.png", "image/png", {"original": b"\x89PNG"})
    stored = direct_line.conversations.store_attachment(file)
    url = f"{CONNECTOR}/v3/attachments/{stored}/views/original"
    attachment = {"contentType": "image/png", "contentUrl": url}
    conversation.add({"type": "message", "from": BOT, "attachments": [attachment]})
    (shown,) = await visible(client)
    async with client.http.get(shown["attachments"][0]["contentUrl"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", b"\x89PNG")
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_an_upload_becomes_a_message_with_files(
    client: DirectLineClient, conversation: Conversation, bot: RecordingBot
) -> None:
    """The bot gets the activity's text, and URLs to read the files from."""
    form = aiohttp.FormData()
    activity = '{"type": "message", "text": "look", "channelData": {"clientActivityID": "c1"}}'
    form.add_field("activity", activity, content_type="application/vnd.microsoft.activity")
    form.add_field("file", b"a,b\n1,2\n", filename="table.csv", content_type="text/csv")
    await client.call("POST", f"/conversations/{conversation.id}/upload?userId=user-1", data=form)
    delivered = await bot.wait_for("message")
    (attachment,) = delivered["attachments"]
    assert (delivered["text"], delivered["channelData"]) == ("look", {"clientActivityID": "c1"})
    assert (attachment["name"], attachment["contentType"]) == ("table.csv", "text/csv")
    async with client.http.get(attachment["contentUrl"]) as response:
        assert await response.read() == b"a,b\n1,2\n"


async def test_a_token_opens_one_conversation_only(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """A token for another conversation is a 403, no token a 401."""
    other = DirectLineClient(client.http)
    await other.start()
    other.conversation_id = conversation.id
    await other.post({"type": "message"}, 403)
    await other.call("GET", other.activities, 403)
    await other.call("POST", f"/conversations/{conversation.id}/upload", 403)
    other.token = ""
    await other.post({"type": "message"}, 401)
    url = f"/v3/directline/conversations/{conversation.id}/stream?t=wrong"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await other.http.ws_connect(url)
    assert refusal.value.status == 403


async def test_a_token_expires_and_can_be_refreshed(
    client: DirectLineClient, conversation: Conversation, direct_line: DirectLine
) -> None:
    """A refreshed token is for the same conversation; an expired one cannot be refreshed."""
    refreshed = await client.call("POST", "/tokens/refresh")
    assert refreshed["conversationId"] == conversation.id
    assert refreshed["expires_in"] == 1800
    client.token = refreshed["token"]
    await client.post({"type": "message", "text": "still here"})
    direct_line.tokens.lifetime = 0
    client.token = direct_line.tokens.issue(conversation.id, USER)
    await client.post({"type": "message"}, 403)
    await client.call("POST", "/tokens/refresh", 403)


@pytest.mark.parametrize("body", [b"not JSON", b"\xff", b"[]", b"{}", b'{"type": 1}'])
@pytest.mark.usefixtures("conversation")
async def test_a_malformed_activity_is_a_400(client: DirectLineClient, body: bytes) -> None:
    """It is not stored."""
    await client.call("POST", client.activities, 400, data=body)
    assert await visible(client) == []


async def test_a_malformed_upload_is_a_400(
    client: DirectLineClient, conversation: Conversation
) -> None:
    """An upload that is not multipart, or has an invalid activity, is refused."""
    path = f"/conversations/{conversation.id}/upload"
    await client.call("POST", path, 400, json={"type": "message"})
    broken = {"Content-Type": "multipart/form-data"}
    await client.call("POST", path, 400, data=b"no boundary", content_type=broken)
    form = aiohttp.FormData()
    form.add_field("activity", "{}", content_type="application/vnd.microsoft.activity")
    await client.call("POST", path, 400, data=form)
    assert await visible(client) == []


async def test_an_unknown_conversation_or_file_is_a_404(
    client: DirectLineClient, direct_line: DirectLine
) -> None:
    """Before a conversation starts it is not found; neither is an unknown file."""
    client.token = direct_line.tokens.issue("never-started", USER)
    await client.call("GET", "/conversations/never-started/activities", 404)
    await client.call("GET", "/attachments/guessed/views/original", 404)


async def test_the_bots_account_is_the_registration(direct_line: DirectLine) -> None:
    """The recipient's id is the app id (GUID)."""
    assert bot_account(direct_line.channel.registration) == BOT
