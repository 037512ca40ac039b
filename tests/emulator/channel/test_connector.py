"""BotConnector: the SDK's unmodified client works against it, and strangers are refused."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from botbuilder.schema import (
    Activity,
    AttachmentData,
    ChannelAccount,
    ConversationParameters,
    ErrorResponseException,
)
from botframework.connector.aio import ConnectorClient
from msrest.exceptions import HttpOperationError

from emulator.certificates import CertificateAuthority
from emulator.channel.connector import BotConnector, Call
from emulator.channel.conversations import Conversation, Conversations
from emulator.entra.registration import CHANNEL_TENANT, Registration
from emulator.entra.token_issuer import TokenIssuer
from tests.support.credentials.issued_credentials import IssuedCredentials

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
OTHER_APP = "1f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d12"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
CLAIMS = {
    "aud": "https://api.botframework.com",
    "iss": f"https://sts.windows.net/{TENANT}/",
    "appid": APP_ID,
}
USER = {"id": "user-1", "name": "First user", "role": "user"}
SECOND = {"id": "user-2", "name": "Second user", "role": "user"}
BOT = {"id": APP_ID, "name": "Bot", "role": "bot"}


@pytest.fixture(scope="module")
def stranger() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture
async def connector(issuer: TokenIssuer, tls: ssl.SSLContext) -> AsyncIterator[BotConnector]:
    registration = Registration(APP_ID, TENANT, "SingleTenant")
    connector = BotConnector(issuer, registration, Conversations(), tls)
    await connector.server.start()
    yield connector
    await connector.server.stop()


@pytest.fixture
def conversation(connector: BotConnector) -> Conversation:
    return connector.conversations.create([USER, SECOND, BOT])


@pytest.fixture
def client(
    connector: BotConnector,
    issuer: TokenIssuer,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The SDK's client, trusting the local authority as the app's process does."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    return ConnectorClient(IssuedCredentials(issuer, CLAIMS), base_url=f"{connector.server.url}/")


@pytest.fixture
async def http(
    connector: BotConnector, authority: CertificateAuthority
) -> AsyncIterator[aiohttp.ClientSession]:
    """For what the SDK's client would never send."""
    trusted = ssl.create_default_context(cafile=str(authority.path))
    async with aiohttp.ClientSession(
        connector.server.url, connector=aiohttp.TCPConnector(ssl=trusted)
    ) as session:
        yield session


def text(words: str) -> Activity:
    return Activity(type="message", text=words)


# What the SDK can do


async def test_a_message_is_sent(
    client: Any, connector: BotConnector, conversation: Conversation
) -> None:
    """It is in the conversation under the returned id, as the bot's, and the call is recorded."""
    sent = await client.conversations.send_to_conversation(conversation.id, text("hello"))
    (kept,) = conversation.activities
    assert (kept["id"], kept["text"], kept["from"]) == (sent.id, "hello", BOT)
    assert kept["timestamp"].endswith("Z")
    assert kept["conversation"] == {"id": conversation.id}
    path = f"/v3/conversations/{conversation.id}/activities"
    body = {"type": "message", "text": "hello"}
    assert connector.calls == [Call("POST", path, body, 201, APP_ID, True)]


async def test_a_reply_names_its_activity(client: Any, conversation: Conversation) -> None:
    """The id in the path becomes `replyToId`; an unknown one is no error."""
    first = await client.conversations.send_to_conversation(conversation.id, text("one"))
    await client.conversations.reply_to_activity(conversation.id, first.id, text("two"))
    await client.conversations.reply_to_activity(conversation.id, "unknown", text("three"))
    replied = [activity.get("replyToId") for activity in conversation.activities]
    assert replied == [None, first.id, "unknown"]


async def test_an_activity_is_updated_in_its_place(client: Any, conversation: Conversation) -> None:
    """An update keeps id, place and timestamp; the change is recorded for the clients."""
    sent = await client.conversations.send_to_conversation(conversation.id, text("old"))
    await client.conversations.send_to_conversation(conversation.id, text("later"))
    before = conversation.find(sent.id)
    answer = await client.conversations.update_activity(conversation.id, sent.id, text("new"))
    assert answer.id == sent.id
    assert [activity["text"] for activity in conversation.activities] == ["new", "later"]
    assert conversation.find(sent.id)["timestamp"] == before["timestamp"]
    assert [change["text"] for change in conversation.changes] == ["old", "later", "new"]


async def test_an_activity_is_deleted(client: Any, conversation: Conversation) -> None:
    """It is gone; among the changes is a `messageDelete` of its id."""
    sent = await client.conversations.send_to_conversation(conversation.id, text("oops"))
    await client.conversations.delete_activity(conversation.id, sent.id)
    assert conversation.activities == []
    assert conversation.changes[-1]["type"] == "messageDelete"
    assert conversation.changes[-1]["id"] == sent.id
    with pytest.raises(ErrorResponseException) as missing:
        await client.conversations.delete_activity(conversation.id, sent.id)
    assert missing.value.response.status_code == 404


async def test_a_bot_changes_only_its_own_activities(
    client: Any, conversation: Conversation
) -> None:
    """The user's messages are not the bot's to edit or delete."""
    theirs = conversation.add({"type": "message", "text": "mine", "from": USER})
    for change in (
        client.conversations.update_activity(conversation.id, theirs["id"], text("yours")),
        client.conversations.delete_activity(conversation.id, theirs["id"]),
    ):
        with pytest.raises(ErrorResponseException) as refusal:
            await change
        assert refusal.value.response.status_code == 403
    assert conversation.activities == [theirs]


async def test_history_keeps_its_ids(client: Any, conversation: Conversation) -> None:
    """Uploaded activities keep the ids and times of the past."""
    past = Activity(type="message", id="past-1", text="then", timestamp="2020-02-02T02:02:02Z")
    await client.conversations.send_conversation_history(conversation.id, [past])
    assert conversation.find("past-1")["timestamp"].startswith("2020-02-02T02:02:02")


async def test_a_conversation_is_created_with_a_first_activity(
    client: Any, connector: BotConnector
) -> None:
    """The answer has the ids and the service URL; members and activity are in the store."""
    created = await client.conversations.create_conversation(
        ConversationParameters(
            bot=ChannelAccount(id=APP_ID), members=[ChannelAccount(**USER)], activity=text("hi")
        )
    )
    conversation = connector.conversations.find(created.id)
    assert created.service_url == f"{connector.server.url}/"
    assert conversation.find(created.activity_id)["text"] == "hi"
    assert list(conversation.members) == [USER["id"], APP_ID]
    (call,) = connector.calls
    assert call.activity == {"type": "message", "text": "hi"}


async def test_a_thread_in_a_channel(client: Any, connector: BotConnector) -> None:
    """Teams' channels have the team's members: the bot names none."""
    created = await client.conversations.create_conversation(
        ConversationParameters(
            is_group=True, channel_data={"channel": {"id": "19:c"}}, activity=text("hi")
        )
    )
    conversation = connector.conversations.find(created.id)
    assert conversation.find(created.activity_id)["text"] == "hi"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"members": []},
        {"channel_data": {"channel": {"id": "19:c"}}},
        {"is_group": True},
        {"is_group": True, "channel_data": "19:c"},
        {"is_group": True, "channel_data": {"channel": "19:c"}},
        {"is_group": True, "channel_data": {"channel": {"id": ""}}},
    ],
)
async def test_a_conversation_without_members_is_refused(
    client: Any, content: dict[str, Any]
) -> None:
    """Somebody must be in it, or a channel must be named."""
    with pytest.raises(ErrorResponseException) as refusal:
        await client.conversations.create_conversation(ConversationParameters(**content))
    assert refusal.value.response.status_code == 400


async def test_conversations_are_listed(client: Any, conversation: Conversation) -> None:
    """Each with its members."""
    (listed,) = (await client.conversations.get_conversations()).conversations
    assert listed.id == conversation.id
    assert [member.id for member in listed.members] == list(conversation.members)


async def test_members_are_listed(client: Any, conversation: Conversation) -> None:
    """All, one, page by page, and those of one activity."""
    operations = client.conversations
    expected = list(conversation.members)
    everybody = await operations.get_conversation_members(conversation.id)
    assert [member.id for member in everybody] == expected
    one = await operations.get_conversation_member(conversation.id, USER["id"])
    assert (one.id, one.name) == (USER["id"], USER["name"])
    first = await operations.get_conversation_paged_members(conversation.id, page_size=2)
    rest = await operations.get_conversation_paged_members(
        conversation.id, page_size=2, continuation_token=first.continuation_token
    )
    assert [member.id for member in [*first.members, *rest.members]] == expected
    assert rest.continuation_token is None
    sent = await operations.send_to_conversation(conversation.id, text("to all"))
    readers = await operations.get_activity_members(conversation.id, sent.id)
    assert [member.id for member in readers] == expected


async def test_a_member_is_deleted(client: Any, conversation: Conversation) -> None:
    """Whoever left is not found any more."""
    await client.conversations.delete_conversation_member(conversation.id, USER["id"])
    with pytest.raises(ErrorResponseException) as missing:
        await client.conversations.get_conversation_member(conversation.id, USER["id"])
    assert missing.value.response.status_code == 404


async def test_an_attachment_is_uploaded_and_read_back(
    client: Any, conversation: Conversation
) -> None:
    """Name, type, sizes and the bytes of both views."""
    data = AttachmentData(
        type="image/png", name="dot.png", original_base64=b"\x89PNG...", thumbnail_base64=b"\x89P"
    )
    uploaded = await client.conversations.upload_attachment(conversation.id, data)
    info = await client.attachments.get_attachment_info(uploaded.id)
    assert (info.name, info.type) == ("dot.png", "image/png")
    assert {view.view_id: view.size for view in info.views} == {"original": 7, "thumbnail": 2}
    stream = await client.attachments.get_attachment(uploaded.id, "original")
    assert b"".join([chunk async for chunk in stream]) == b"\x89PNG..."


async def test_an_unknown_conversation_is_a_404(client: Any) -> None:
    """In the error shape that the SDK reads."""
    with pytest.raises(ErrorResponseException) as missing:
        await client.conversations.send_to_conversation("nowhere", text("hello?"))
    assert missing.value.response.status_code == 404
    assert missing.value.error.error.code == "ConversationNotFound"
    with pytest.raises(HttpOperationError):
        await client.conversations.get_conversation_paged_members("nowhere")


async def test_somebody_can_wait_for_the_bot(client: Any, connector: BotConnector) -> None:
    """`wait_for` returns when its predicate holds, woken by the bot's call."""
    conversation = connector.conversations.create([USER, BOT])
    waiting = asyncio.create_task(
        connector.conversations.wait_for(conversation.id, lambda it: len(it.activities) == 2)
    )
    await client.conversations.send_to_conversation(conversation.id, text("one"))
    assert not waiting.done()
    await client.conversations.send_to_conversation(conversation.id, text("two"))
    async with asyncio.timeout(5):
        assert await waiting is conversation


# What the connector refuses


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": "no type"}, "no 'type'"),
        ({"type": ""}, "no 'type'"),
        ({"type": "message", "conversation": {"conversationType": None}}, "conversationType"),
        ({"type": "message", "from": "me"}, "'from'"),
        (["a", "list"], "not a JSON object"),
        ("not JSON", "not JSON"),
    ],
)
async def test_a_malformed_activity_is_a_400(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    connector: BotConnector,
    conversation: Conversation,
    body: Any,
    reason: str,
) -> None:
    """Nothing is kept of it, and the answer says why."""
    headers = {"Authorization": f"Bearer {issuer.sign(CLAIMS)}"}
    sent = {"data": body} if isinstance(body, str) else {"json": body}
    url = f"/v3/conversations/{conversation.id}/activities"
    async with http.post(url, headers=headers, **sent) as response:
        assert response.status == 400
        assert reason in (await response.json())["error"]["message"]
    assert conversation.activities == []
    assert connector.calls[-1].status == 400


@pytest.mark.parametrize("name", ["originalBase64", "thumbnailBase64"])
@pytest.mark.parametrize("content", ["x", "*", "\u00e9"])
async def test_a_malformed_attachment_is_a_400(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    conversation: Conversation,
    name: str,
    content: str,
) -> None:
    """What is not base64 is refused, and the answer says so."""
    headers = {"Authorization": f"Bearer {issuer.sign(CLAIMS)}"}
    url = f"/v3/conversations/{conversation.id}/attachments"
    async with http.post(url, headers=headers, json={name: content}) as response:
        assert response.status == 400
        assert "not base64" in (await response.json())["error"]["message"]


OPERATIONS = [
    ("GET", "/v3/conversations"),
    ("POST", "/v3/conversations"),
    ("POST", "/v3/conversations/{id}/activities"),
    ("POST", "/v3/conversations/{id}/activities/history"),
    ("POST", "/v3/conversations/{id}/activities/a"),
    ("PUT", "/v3/conversations/{id}/activities/a"),
    ("DELETE", "/v3/conversations/{id}/activities/a"),
    ("GET", "/v3/conversations/{id}/activities/a/members"),
    ("GET", "/v3/conversations/{id}/members"),
    ("GET", "/v3/conversations/{id}/pagedmembers"),
    ("GET", "/v3/conversations/{id}/members/m"),
    ("DELETE", "/v3/conversations/{id}/members/m"),
    ("POST", "/v3/conversations/{id}/attachments"),
    ("GET", "/v3/attachments/a"),
    ("GET", "/v3/attachments/a/views/original"),
]


async def test_no_operation_works_without_a_token(
    http: aiohttp.ClientSession, connector: BotConnector, conversation: Conversation
) -> None:
    """Every one answers 401 with a challenge and is recorded as refused."""
    for method, path in OPERATIONS:
        url = path.format(id=conversation.id)
        async with http.request(method, url, json={"type": "message"}) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert (await response.json())["error"]["code"] == "Unauthorized"
    assert [(call.status, call.verified) for call in connector.calls] == [(401, False)] * 15
    assert conversation.activities == []


WRONG_TOKENS = {
    "audience": {"aud": "https://graph.microsoft.com"},
    "foreign tenant": {"iss": "https://sts.windows.net/9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33/"},
    "channel tenant": {"iss": f"https://sts.windows.net/{CHANNEL_TENANT}/"},
    "expired": {"exp": int(time.time()) - 60},
    "not yet valid": {"nbf": int(time.time()) + 600},
}


@pytest.mark.parametrize("claims", WRONG_TOKENS.values(), ids=WRONG_TOKENS.keys())
async def test_a_wrong_token_is_a_401(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    connector: BotConnector,
    conversation: Conversation,
    claims: dict[str, Any],
) -> None:
    """Audience, issuing tenant and time are demanded."""
    assert await status_of(http, conversation, issuer.sign({**CLAIMS, **claims})) == 401
    assert not connector.calls[-1].verified


async def test_a_forged_token_is_a_401(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    stranger: TokenIssuer,
    conversation: Conversation,
) -> None:
    """A signature of another key, rubbish, and the wrong scheme get nowhere."""
    assert await status_of(http, conversation, stranger.sign(CLAIMS)) == 401
    assert await status_of(http, conversation, "rubbish") == 401
    assert await status_of(http, conversation, issuer.sign(CLAIMS), scheme="Basic") == 401


@pytest.mark.parametrize("app_id", [OTHER_APP, None])
async def test_the_token_of_another_app_is_a_403(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    connector: BotConnector,
    conversation: Conversation,
    app_id: str | None,
) -> None:
    """A valid token that is not this bot's is recorded as verified, and refused."""
    token = issuer.sign({**CLAIMS, "appid": app_id or ""})
    assert await status_of(http, conversation, token) == 403
    call = connector.calls[-1]
    assert (call.status, call.appid, call.verified) == (403, app_id or "", True)


async def test_a_multitenant_bot_signs_in_at_the_channels_tenant(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    connector: BotConnector,
    conversation: Conversation,
) -> None:
    """Its home tenant's tokens are refused, those of the channel's tenant accepted."""
    home, channels = CLAIMS, {**CLAIMS, "iss": f"https://sts.windows.net/{CHANNEL_TENANT}/"}
    token = issuer.sign(home)
    assert await status_of(http, conversation, token) == 201
    connector.registration.app_type = "MultiTenant"
    assert await status_of(http, conversation, token) == 401
    assert await status_of(http, conversation, issuer.sign(channels)) == 201


async def test_withdrawn_keys_end_what_was_accepted(
    http: aiohttp.ClientSession, issuer: TokenIssuer, conversation: Conversation
) -> None:
    """A token accepted before is refused once Entra's key is gone, and accepted when it is back."""
    token = issuer.sign(CLAIMS)
    assert await status_of(http, conversation, token) == 201
    kept = issuer.keys
    issuer.roll()
    assert await status_of(http, conversation, token) == 401
    issuer.keys = kept
    assert await status_of(http, conversation, token) == 201


async def test_tokens_are_not_kept(
    http: aiohttp.ClientSession,
    issuer: TokenIssuer,
    connector: BotConnector,
    conversation: Conversation,
) -> None:
    """The record of a call says whose token it was, not what it was."""
    token = issuer.sign(CLAIMS)
    assert await status_of(http, conversation, token) == 201
    assert token not in repr(connector.calls)


async def test_the_demand_for_a_token_can_be_lifted(
    http: aiohttp.ClientSession, connector: BotConnector, conversation: Conversation
) -> None:
    """For local tools that have none; the call is recorded as unverified."""
    connector.require_token = False
    assert await status_of(http, conversation, "") == 201
    assert not connector.calls[-1].verified


async def status_of(
    http: aiohttp.ClientSession, conversation: Conversation, token: str, scheme: str = "Bearer"
) -> int:
    headers = {"Authorization": f"{scheme} {token}"}
    url = f"/v3/conversations/{conversation.id}/activities"
    async with http.post(url, json={"type": "message"}, headers=headers) as response:
        return response.status
