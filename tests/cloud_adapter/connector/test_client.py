"""ConnectorClient: the operations of the Bot Connector's REST API."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import pytest
from botbuilder.schema import (
    Activity,
    AttachmentData,
    AttachmentInfo,
    Entity,
    ErrorResponseException,
    ResourceResponse,
)

from auth.bot_framework import BotCredentials
from cloud_adapter.connector.client import (
    CallRefused,
    ConnectorClient,
    ConnectorError,
    ConnectorSession,
    Service,
)
from http_client.pool import HttpPool
from tests.support.bots.composed_app import ComposedApp
from tests.support.wire.connector_calls import hang_up
from tests.support.wire.scripted_service import Reply, ScriptedService

AWKWARD = [
    "a/b",
    "a?b=c",
    "a#b",
    "100%",
    "%2F",
    "a b",
    "a+b",
    "19:x@thread.tacv2;m=1",
    "a:1xyz",
    "...",
    "../..",
    ".%2e",
    "\u00fc\u20ac\U0001f600",
]


@pytest.fixture
async def client(app: ComposedApp) -> Any:
    """A client as a turn gets it, in front of the local connector."""
    return await app.connector()


def text(words: str) -> Activity:
    return Activity(type="message", text=words)


async def test_a_message_is_sent(app: ComposedApp, client: Any) -> None:
    """A message is in the conversation under the returned id, sent with the bot's token."""
    sent = await client.conversations.send_to_conversation(app.conversation.id, text("hello"))
    assert isinstance(sent, ResourceResponse)
    (stored,) = app.conversation.activities
    assert (stored["id"], stored["text"]) == (sent.id, "hello")
    call = app.cloud.connector.calls[-1]
    assert (call.method, call.path) == (
        "POST",
        f"/v3/conversations/{app.conversation.id}/activities",
    )
    assert call.activity == {"type": "message", "text": "hello"}
    assert (call.status, call.appid) == (201, app.cloud.registration.app_id)


async def test_a_message_is_answered_updated_and_deleted(app: ComposedApp, client: Any) -> None:
    """Replies, updates and deletions reach their activity, whose id contains a bar."""
    conversation = app.conversation
    first = await client.conversations.send_to_conversation(conversation.id, text("one"))
    reply = await client.conversations.reply_to_activity(conversation.id, first.id, text("two"))
    assert conversation.find(reply.id)["replyToId"] == first.id
    changed = await client.conversations.update_activity(conversation.id, first.id, text("three"))
    assert (changed.id, conversation.find(first.id)["text"]) == (first.id, "three")
    gone = await client.conversations.delete_activity(conversation.id, first.id)
    assert gone is None
    assert not conversation.has(first.id)


async def test_entities_are_sent_in_full(app: ComposedApp, client: Any) -> None:
    """A citation reaches the channel with every property."""
    entity = Entity(type="https://schema.org/Message")
    entity.additional_properties = {"@type": "Message", "citation": [{"position": 1}]}
    activity = Activity(type="message", text="x", entities=[entity])
    await client.conversations.send_to_conversation(app.conversation.id, activity)
    (stored,) = app.conversation.activities
    assert stored["entities"] == [
        {"type": "https://schema.org/Message", "@type": "Message", "citation": [{"position": 1}]}
    ]


async def test_an_attachment_is_uploaded(app: ComposedApp, client: Any) -> None:
    """An uploaded attachment can be downloaded with its name, type, size and content."""
    data = AttachmentData(type="text/plain", name="a.txt", original_base64=b"\x00\xff\x01")
    uploaded = await client.conversations.upload_attachment(app.conversation.id, data)
    info = await client.attachments.get_attachment_info(uploaded.id)
    assert isinstance(info, AttachmentInfo)
    assert (info.name, info.type) == ("a.txt", "text/plain")
    assert [(view.view_id, view.size) for view in info.views] == [("original", 3)]
    chunks = await client.attachments.get_attachment(uploaded.id, "original")
    assert b"".join([chunk async for chunk in chunks]) == b"\x00\xff\x01"


async def test_a_refusal_is_the_sdk_s_exception(client: Any) -> None:
    """A refused call raises the SDK's exception with the status and the code."""
    with pytest.raises(ErrorResponseException) as caught:
        await client.conversations.send_to_conversation("unknown", text("x"))
    assert caught.value.response.status_code == 404
    assert caught.value.error.error.code == "ConversationNotFound"


@pytest.mark.parametrize("awkward", AWKWARD)
async def test_ids_arrive_as_they_are(bare: Any, service: ScriptedService, awkward: str) -> None:
    """An id with any characters is one segment of the path."""
    service.otherwise = Reply(200, {})
    await bare.conversations.get_conversation_member(awkward, awkward)
    # Servers split the path first, and decode each segment once.
    segments = [unquote(segment) for segment in service.seen[0].path.split("/")]
    assert segments == ["", "v3", "conversations", awkward, "members", awkward]


@pytest.mark.parametrize("segment", ["", ".", ".."])
async def test_an_id_that_is_no_segment(bare: Any, service: ScriptedService, segment: str) -> None:
    """Every call refuses an id that would lead to another URL, before anything is sent."""
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: bare.conversations.send_to_conversation(segment, text("x")),
        lambda: bare.conversations.reply_to_activity("c", segment, text("x")),
        lambda: bare.conversations.update_activity(segment, "a", text("x")),
        lambda: bare.conversations.delete_activity("c", segment),
        lambda: bare.conversations.get_conversation_member("c", segment),
        lambda: bare.conversations.delete_conversation_member("c", segment),
        lambda: bare.conversations.get_activity_members("c", segment),
        lambda: bare.attachments.get_attachment_info(segment),
        lambda: bare.attachments.get_attachment("a", segment),
        lambda: bare.teams.get_team_details(segment),
        lambda: bare.teams.fetch_meeting(segment),
        lambda: bare.teams.fetch_participant("m", segment, "t"),
    ]
    for call in calls:
        with pytest.raises(CallRefused, match="pass the real id") as caught:
            await call()
        assert caught.value.response.status_code == 400
    assert service.seen == []


async def test_query_values_arrive_as_they_are(bare: Any, service: ScriptedService) -> None:
    """Query values arrive unchanged; arguments that are not given are left out."""
    service.otherwise = Reply(200, {})
    await bare.conversations.get_conversations("a&b=c+d /\u00fc%")
    await bare.conversations.get_conversation_paged_members("c", page_size=0)
    assert [seen.query for seen in service.seen] == [
        {"continuationToken": "a&b=c+d /\u00fc%"},
        {"pageSize": "0"},
    ]


@pytest.mark.parametrize("path", ["", "/", "/amer", "/amer/"])
async def test_a_service_url_may_have_a_path(
    pool: HttpPool, service: ScriptedService, path: str
) -> None:
    """Operations are appended to the service URL's path, with or without a trailing slash."""
    credentials = BotCredentials("", None, "x")
    connector = Service(f"{service.url}{path}", credentials, None)
    client = ConnectorClient(ConnectorSession(pool), connector)
    await client.conversations.delete_activity("c", "a")
    assert service.seen[0].path == f"{path.rstrip('/')}/v3/conversations/c/activities/a"
    assert client.config.base_url == f"{service.url}{path}"
    assert client.config.credentials is credentials


@pytest.mark.parametrize("answer", [None, [], "accepted"])
async def test_an_activity_that_is_not_named(
    bare: Any, service: ScriptedService, answer: Any
) -> None:
    """A service may accept a message without returning its id."""
    service.otherwise = Reply(202, answer)
    assert await bare.conversations.send_to_conversation("c", text("x")) is None


async def test_an_answer_of_another_shape(bare: Any, service: ScriptedService) -> None:
    """JSON of another shape is an error where a result is needed."""
    service.otherwise = Reply(200, [])
    with pytest.raises(ConnectorError):
        await bare.conversations.get_conversations()


async def test_no_members(bare: Any) -> None:
    """An empty response to a list of members is an empty list."""
    assert await bare.conversations.get_conversation_members("c") == []
    assert await bare.conversations.get_activity_members("c", "a") == []


async def test_few_frames_lie_between_reply_and_socket(bare: Any, service: ScriptedService) -> None:
    """A reply crosses at most five frames of the project, down to the connection."""
    service.otherwise = hang_up
    with pytest.raises(ConnectorError) as caught:
        await bare.conversations.reply_to_activity("c", "a", text("x"))
    cause = caught.value.__cause__
    assert cause
    frames = [
        *traceback.walk_tb(caught.value.__traceback__),
        *traceback.walk_tb(cause.__traceback__),
    ]
    names = dict.fromkeys(
        frame.f_code.co_qualname
        for frame, _ in frames
        if frame.f_globals["__name__"].startswith(("cloud_adapter", "http_client"))
    )
    assert "HttpConnection.send" in names
    assert len(names) <= 5
