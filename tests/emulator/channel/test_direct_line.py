"""DirectLine: the protocol as Web Chat speaks it; the browser itself is in test_chat_page."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from emulator.certificates import CertificateAuthority
from emulator.channel.channel import Channel
from emulator.channel.connector_operations import bot_account
from emulator.channel.conversations import Activity, Attachment, Conversation, Conversations
from emulator.channel.direct_line import DirectLine
from emulator.entra.registration import Registration
from emulator.server import Server

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
CONNECTOR = "https://localhost:1"
USER = {"id": "user-1", "name": "First user"}
BOT = {"id": APP_ID, "name": "Bot", "role": "bot"}
CARD = "application/vnd.microsoft.card.adaptive"


@dataclass
class Bot:
    """Remembers what it is sent; answers one status and, to invokes, one body."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.server = Server("bot", [web.post("/api/messages", self._messages)])

    async def _messages(self, request: web.Request) -> web.Response:
        async with self.arrived:
            self.activities.append(await request.json())
            self.arrived.notify_all()
        return web.json_response(self.body, status=self.status)

    async def wait_for(self, kind: str) -> Activity:
        """The latest activity of that type, once there is one."""
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: any(a["type"] == kind for a in self.activities))
        return [activity for activity in self.activities if activity["type"] == kind][-1]


class Client:
    """A Direct Line client of one conversation."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.token = ""
        self.conversation_id = ""
        self.stream_url = ""

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers.update(options.pop("content_type", {}))
        url = f"/v3/directline{path}"
        async with self.http.request(method, url, headers=headers, **options) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def start(self) -> Any:
        generated = await self.call("POST", "/tokens/generate", json={"user": USER})
        self.token = generated["token"]
        started = await self.call("POST", "/conversations", 201)
        self.token, self.stream_url = started["token"], started["streamUrl"]
        self.conversation_id = started["conversationId"]
        return started

    @property
    def activities(self) -> str:
        return f"/conversations/{self.conversation_id}/activities"

    async def post(self, activity: Activity, status: int = 200) -> Any:
        return await self.call("POST", self.activities, status, json=activity)


@pytest.fixture(scope="module")
def module_channel(authority: CertificateAuthority) -> Channel:
    """Its signing key is the dear part."""
    registration = Registration(APP_ID, TENANT, "UserAssignedMSI")
    return Channel(registration, authority.server_context())


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    bot = Bot()
    await bot.server.start()
    yield bot
    await bot.server.stop()


@pytest.fixture
async def direct_line(module_channel: Channel, bot: Bot) -> AsyncIterator[DirectLine]:
    channel = module_channel
    channel.bot_endpoint, channel.timeout = f"{bot.server.url}/api/messages", 15.0
    direct_line = DirectLine(channel, lambda: CONNECTOR, Conversations())
    yield direct_line
    await direct_line.close()
    await channel.close()


@pytest.fixture
async def client(direct_line: DirectLine) -> AsyncIterator[Client]:
    """Connected to a server, with no conversation yet."""
    server = Server("chat", direct_line.routes())
    await server.start()
    async with aiohttp.ClientSession(server.url) as http:
        yield Client(http)
    await server.stop()


@pytest.fixture
async def conversation(client: Client, direct_line: DirectLine) -> Conversation:
    """Started by the client; the bot may not have heard of it yet."""
    await client.start()
    return direct_line.conversations.find(client.conversation_id)


async def visible(client: Client, watermark: str = "") -> list[Activity]:
    answer = await client.call("GET", f"{client.activities}?watermark={watermark}")
    shown: list[Activity] = answer["activities"]
    return shown


async def noticed(conversation: Conversation) -> str:
    """The text of the first message from the channel itself."""

    def from_channel(activity: Activity) -> bool:
        return bool(activity["from"]["id"] == "channel")

    async with asyncio.timeout(5):
        await conversation.wait_until(lambda it: any(map(from_channel, it.activities)))
    return str(next(filter(from_channel, conversation.activities))["text"])


async def test_a_start_is_told_to_the_bot(client: Client, bot: Bot) -> None:
    """One conversationUpdate with both members, as channels send it."""
    started = await client.start()
    update = await bot.wait_for("conversationUpdate")
    assert [member["id"] for member in update["membersAdded"]] == [APP_ID, "user-1"]
    assert update["conversation"] == {"id": started["conversationId"]}
    assert (update["channelId"], update["serviceUrl"]) == ("webchat", f"{CONNECTOR}/")
    assert (update["from"]["role"], update["recipient"]) == ("user", BOT)
    assert await visible(client) == []


async def test_a_conversation_starts_once(client: Client, bot: Bot) -> None:
    """Starting again with the same token finds the same conversation and tells the bot nothing."""
    started = await client.start()
    await bot.wait_for("conversationUpdate")
    again = await client.call("POST", "/conversations", 200)
    assert again["conversationId"] == started["conversationId"]
    await client.post({"type": "message", "text": "hello"})
    await bot.wait_for("message")
    assert [activity["type"] for activity in bot.activities] == ["conversationUpdate", "message"]


@pytest.mark.usefixtures("conversation")
async def test_a_message_is_echoed_and_delivered(client: Client, bot: Bot) -> None:
    """The client sees its message with id, time and its own mark; the bot gets the whole of it."""
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
async def test_the_post_does_not_wait_for_the_bot(client: Client, bot: Bot) -> None:
    """A silent bot delays nobody; closing ends the delivery."""
    bot.server.faults.set(silent=True)
    async with asyncio.timeout(5):
        await client.post({"type": "message", "text": "are you there?"})
    assert len(await visible(client)) == 1


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_refusal_of_the_bot_is_shown(
    client: Client, conversation: Conversation, bot: Bot, status: int
) -> None:
    """The developer reads it in the conversation."""
    bot.status = status
    await client.post({"type": "message", "text": "hello"})
    assert await noticed(conversation) == f"The bot answered {status}."


async def test_an_unreachable_bot_is_shown(
    client: Client, direct_line: DirectLine, bot: Bot
) -> None:
    """With the endpoint that was tried."""
    await bot.server.stop()
    await client.start()
    conversation = direct_line.conversations.find(client.conversation_id)
    endpoint = direct_line.channel.bot_endpoint
    assert await noticed(conversation) == f"The bot cannot be reached at {endpoint}"


async def test_a_silent_bot_is_shown(
    client: Client, conversation: Conversation, direct_line: DirectLine, bot: Bot
) -> None:
    """When the channel's patience ends."""
    bot.server.faults.set(silent=True)
    direct_line.channel.timeout = 0.05
    await client.post({"type": "message", "text": "hello"})
    assert await noticed(conversation) == "The bot did not answer within 0.05 seconds."


async def test_polling_goes_on_from_the_watermark(
    client: Client, conversation: Conversation
) -> None:
    """Each change is delivered once; without a watermark all of them."""
    conversation.add({"type": "message", "text": "one", "from": BOT})
    first = await client.call("GET", f"{client.activities}?watermark=")
    conversation.add({"type": "message", "text": "two", "from": BOT})
    news = await visible(client, first["watermark"])
    assert [activity["text"] for activity in news] == ["two"]
    assert [activity["text"] for activity in await visible(client, "-")] == ["one", "two"]


async def test_the_stream_pushes_changes(client: Client, conversation: Conversation) -> None:
    """What was there, what comes, what changes and what goes; keep-alives disturb nothing."""
    kept = conversation.add({"type": "message", "text": "one", "from": BOT})
    async with asyncio.timeout(5), client.http.ws_connect(client.stream_url) as socket:
        (first,) = (await socket.receive_json())["activities"]
        await socket.send_str("")
        conversation.update(kept["id"], {**kept, "text": "two"})
        (updated,) = (await socket.receive_json())["activities"]
        conversation.delete(kept["id"])
        (deleted,) = (await socket.receive_json())["activities"]
    assert (first["text"], updated["text"], updated["id"]) == ("one", "two", first["id"])
    assert (deleted["type"], deleted["id"]) == ("messageDelete", first["id"])


async def test_a_reconnection_goes_on_from_its_watermark(
    client: Client, conversation: Conversation
) -> None:
    """A new token and a stream that begins where the old one ended."""
    conversation.add({"type": "message", "text": "one", "from": BOT})
    seen = await client.call("GET", client.activities)
    path = f"/conversations/{conversation.id}?watermark={seen['watermark']}"
    again = await client.call("GET", path)
    assert again["token"] != client.token
    conversation.add({"type": "message", "text": "two", "from": BOT})
    async with asyncio.timeout(5), client.http.ws_connect(again["streamUrl"]) as socket:
        (activity,) = (await socket.receive_json())["activities"]
    assert activity["text"] == "two"


async def test_unknown_replies_and_hidden_types_are_left_out(
    client: Client, conversation: Conversation
) -> None:
    """Web Chat would wait for an activity that never comes; the user sees no traces."""
    update = conversation.changes[0]
    known = conversation.add({"type": "message", "from": BOT})
    for replied in ("unknown", update["id"], known["id"]):
        conversation.add({"type": "message", "from": BOT, "replyToId": replied})
    conversation.add({"type": "trace", "from": BOT})
    replies = [activity.get("replyToId") for activity in await visible(client)]
    assert replies == [None, None, None, known["id"]]


async def test_files_of_the_connector_come_from_the_page(
    client: Client, conversation: Conversation, direct_line: DirectLine
) -> None:
    """A browser does not trust the connector's certificate, so its URLs are replaced."""
    file = Attachment("dot.png", "image/png", {"original": b"\x89PNG"})
    kept = direct_line.conversations.store_attachment(file)
    url = f"{CONNECTOR}/v3/attachments/{kept}/views/original"
    attachment = {"contentType": "image/png", "contentUrl": url}
    conversation.add({"type": "message", "from": BOT, "attachments": [attachment]})
    (shown,) = await visible(client)
    async with client.http.get(shown["attachments"][0]["contentUrl"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", b"\x89PNG")
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_an_upload_becomes_a_message_with_files(
    client: Client, conversation: Conversation, bot: Bot
) -> None:
    """The bot gets URLs from which it can read the bytes, under the activity's own words."""
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


# Invokes


def execute(source: str) -> Activity:
    action = {"type": "Action.Execute", "verb": "approve", "data": {}}
    value = {"action": action, "trigger": "manual"}
    return {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "replyToId": source,
        "value": value,
    }


def card(words: str) -> dict[str, Any]:
    body = [{"type": "TextBlock", "text": words}]
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


async def test_the_card_of_an_invokes_answer_replaces_its_source(
    client: Client, conversation: Conversation, bot: Bot
) -> None:
    """The client gets the answer's JSON, and the message's card changes where it stands."""
    attachments = [{"contentType": CARD, "content": card("before")}]
    source = conversation.add({"type": "message", "from": BOT, "attachments": attachments})
    bot.body = {"statusCode": 200, "type": CARD, "value": card("after")}
    assert await client.post(execute(source["id"])) == bot.body
    (changed,) = [one for one in conversation.activities if one["type"] == "message"]
    assert changed["id"] == source["id"]
    assert changed["attachments"] == [{"contentType": CARD, "content": card("after")}]
    invoke = await bot.wait_for("invoke")
    assert (invoke["name"], invoke["from"]["id"]) == ("adaptiveCard/action", "user-1")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("application/vnd.microsoft.activity.message", "Done.", "Done."),
        (
            "application/vnd.microsoft.error",
            {"code": "Locked", "message": "The order is locked."},
            "The action failed: The order is locked.",
        ),
    ],
)
@pytest.mark.usefixtures("conversation")
async def test_other_results_of_an_invoke_become_messages(
    client: Client, bot: Bot, kind: str, value: Any, text: str
) -> None:
    """The bot's words, or its error, appear as a message of the bot."""
    bot.body = {"statusCode": 200, "type": kind, "value": value}
    await client.post(execute("unknown"))
    (message,) = await visible(client)
    assert (message["text"], message["from"]) == (text, BOT)


@pytest.mark.usefixtures("conversation")
async def test_a_card_without_a_known_source_is_a_new_message(client: Client, bot: Bot) -> None:
    """The result is never lost."""
    bot.body = {"statusCode": 200, "type": CARD, "value": card("after")}
    await client.post(execute("unknown"))
    (message,) = await visible(client)
    assert message["attachments"][0]["content"] == card("after")


@pytest.mark.usefixtures("conversation")
async def test_an_invoke_without_a_card_result_shows_nothing(client: Client, bot: Bot) -> None:
    """The client gets the JSON; the conversation stays as it is."""
    bot.body = {"task": {"type": "continue"}}
    assert await client.post({"type": "invoke", "name": "task/fetch"}) == bot.body
    assert await visible(client) == []


async def test_a_refused_invoke_is_a_502_and_shown(
    client: Client, conversation: Conversation, bot: Bot
) -> None:
    """The reference's answer for a bot that fails."""
    bot.status = 501
    await client.post(execute("unknown"), 502)
    assert await noticed(conversation) == "The bot answered 501."


@pytest.mark.usefixtures("conversation")
@pytest.mark.parametrize(
    ("name", "status"), [("signin/tokenExchange", 412), ("signin/verifyState", 404)]
)
async def test_a_declined_sign_in_is_a_502_and_not_shown(
    client: Client, bot: Bot, name: str, status: int
) -> None:
    """The client goes another way then: there is no fault for the user to see."""
    await bot.wait_for("conversationUpdate")
    bot.status = status
    await client.post({"type": "invoke", "name": name}, 502)
    assert await visible(client) == []


async def test_a_failed_sign_in_is_shown(
    client: Client, conversation: Conversation, bot: Bot
) -> None:
    """Another status is a fault, whatever the name."""
    await bot.wait_for("conversationUpdate")
    bot.status = 501
    await client.post({"type": "invoke", "name": "signin/verifyState"}, 502)
    assert await noticed(conversation) == "The bot answered 501."


# Tokens and what is refused


async def test_a_token_opens_one_conversation_only(
    client: Client, conversation: Conversation
) -> None:
    """Another conversation's token is a 403, none at all a 401."""
    other = Client(client.http)
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
    client: Client, conversation: Conversation, direct_line: DirectLine
) -> None:
    """The fresh one opens the same conversation; an expired one is a 403, also for a refresh."""
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
async def test_a_malformed_activity_is_a_400(client: Client, body: bytes) -> None:
    """Nothing is kept of it."""
    await client.call("POST", client.activities, 400, data=body)
    assert await visible(client) == []


async def test_a_malformed_upload_is_a_400(client: Client, conversation: Conversation) -> None:
    """Neither multipart, nor with an activity that is one."""
    path = f"/conversations/{conversation.id}/upload"
    await client.call("POST", path, 400, json={"type": "message"})
    broken = {"Content-Type": "multipart/form-data"}
    await client.call("POST", path, 400, data=b"no boundary", content_type=broken)
    form = aiohttp.FormData()
    form.add_field("activity", "{}", content_type="application/vnd.microsoft.activity")
    await client.call("POST", path, 400, data=form)
    assert await visible(client) == []


async def test_an_unknown_conversation_or_file_is_a_404(
    client: Client, direct_line: DirectLine
) -> None:
    """A token that was never used opens nothing yet; files cannot be guessed."""
    client.token = direct_line.tokens.issue("never-started", USER)
    await client.call("GET", "/conversations/never-started/activities", 404)
    await client.call("GET", "/attachments/guessed/views/original", 404)


async def test_the_bots_account_is_the_registration(direct_line: DirectLine) -> None:
    """The recipient's id is the app id (GUID)."""
    assert bot_account(direct_line.channel.registration) == BOT
