"""ConnectorOperations: the SDK's unmodified client can use every operation."""

import asyncio
from typing import Any

import pytest
from botbuilder.schema import (
    Activity,
    AttachmentData,
    ChannelAccount,
    ConversationParameters,
    ErrorResponseException,
)
from msrest.exceptions import HttpOperationError

from bot_workbench.emulator.channel.connector import BotConnector, Call
from bot_workbench.emulator.channel.conversations import Conversation
from tests.emulator.channel.direct_line_client import BOT, MEMBER, SECOND_MEMBER
from tests.emulator.registered_bot import APP_ID


@pytest.fixture
def conversation(connector: BotConnector) -> Conversation:
    """A conversation of two users and the bot."""
    return connector.conversations.create([MEMBER, SECOND_MEMBER, BOT])


def text(words: str) -> Activity:
    return Activity(type="message", text=words)


async def test_a_message_is_sent(
    sdk_client: Any, connector: BotConnector, conversation: Conversation
) -> None:
    """The message is stored under the returned id, as sent by the bot, and the call is recorded."""
    sent = await sdk_client.conversations.send_to_conversation(conversation.id, text("hello"))
    (stored,) = conversation.activities
    assert (stored["id"], stored["text"], stored["from"]) == (sent.id, "hello", BOT)
    assert stored["timestamp"].endswith("Z")
    assert stored["conversation"] == {"id": conversation.id}
    path = f"/v3/conversations/{conversation.id}/activities"
    body = {"type": "message", "text": "hello"}
    assert connector.calls == [Call("POST", path, body, 201, APP_ID, True)]


async def test_a_reply_names_its_activity(sdk_client: Any, conversation: Conversation) -> None:
    """The id in the path becomes `replyToId`; an unknown one is no error."""
    first = await sdk_client.conversations.send_to_conversation(conversation.id, text("one"))
    await sdk_client.conversations.reply_to_activity(conversation.id, first.id, text("two"))
    await sdk_client.conversations.reply_to_activity(conversation.id, "unknown", text("three"))
    replied = [activity.get("replyToId") for activity in conversation.activities]
    assert replied == [None, first.id, "unknown"]


async def test_an_activity_is_updated_in_its_place(
    sdk_client: Any, conversation: Conversation
) -> None:
    """An update keeps id, position and timestamp; the change is recorded for the clients."""
    sent = await sdk_client.conversations.send_to_conversation(conversation.id, text("old"))
    await sdk_client.conversations.send_to_conversation(conversation.id, text("later"))
    before = conversation.find(sent.id)
    answer = await sdk_client.conversations.update_activity(conversation.id, sent.id, text("new"))
    assert answer.id == sent.id
    assert [activity["text"] for activity in conversation.activities] == ["new", "later"]
    assert conversation.find(sent.id)["timestamp"] == before["timestamp"]
    assert [change["text"] for change in conversation.changes] == ["old", "later", "new"]


async def test_an_activity_is_deleted(sdk_client: Any, conversation: Conversation) -> None:
    """The activity is removed, and its `messageDelete` is added to the changes."""
    sent = await sdk_client.conversations.send_to_conversation(conversation.id, text("oops"))
    await sdk_client.conversations.delete_activity(conversation.id, sent.id)
    assert conversation.activities == []
    assert conversation.changes[-1]["type"] == "messageDelete"
    assert conversation.changes[-1]["id"] == sent.id
    with pytest.raises(ErrorResponseException) as missing:
        await sdk_client.conversations.delete_activity(conversation.id, sent.id)
    assert missing.value.response.status_code == 404


async def test_a_bot_changes_only_its_own_activities(
    sdk_client: Any, conversation: Conversation
) -> None:
    """The bot can neither update nor delete the user's messages."""
    theirs = conversation.add({"type": "message", "text": "mine", "from": MEMBER})
    for change in (
        sdk_client.conversations.update_activity(conversation.id, theirs["id"], text("yours")),
        sdk_client.conversations.delete_activity(conversation.id, theirs["id"]),
    ):
        with pytest.raises(ErrorResponseException) as refusal:
            await change
        assert refusal.value.response.status_code == 403
    assert conversation.activities == [theirs]


async def test_history_keeps_its_ids(sdk_client: Any, conversation: Conversation) -> None:
    """Activities of a history keep their ids and timestamps."""
    past = Activity(type="message", id="past-1", text="then", timestamp="2020-02-02T02:02:02Z")
    await sdk_client.conversations.send_conversation_history(conversation.id, [past])
    assert conversation.find("past-1")["timestamp"].startswith("2020-02-02T02:02:02")


async def test_a_conversation_is_created_with_a_first_activity(
    sdk_client: Any, connector: BotConnector
) -> None:
    """The response has the ids and the service URL; members and activity are stored."""
    created = await sdk_client.conversations.create_conversation(
        ConversationParameters(
            bot=ChannelAccount(id=APP_ID), members=[ChannelAccount(**MEMBER)], activity=text("hi")
        )
    )
    conversation = connector.conversations.find(created.id)
    assert created.service_url == f"{connector.server.url}/"
    assert conversation.find(created.activity_id)["text"] == "hi"
    assert list(conversation.members) == [MEMBER["id"], APP_ID]
    (call,) = connector.calls
    assert call.activity == {"type": "message", "text": "hi"}


async def test_a_thread_in_a_channel(sdk_client: Any, connector: BotConnector) -> None:
    """A thread in a Teams channel is created without members."""
    created = await sdk_client.conversations.create_conversation(
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
    sdk_client: Any, content: dict[str, Any]
) -> None:
    """A conversation needs members or a channel."""
    with pytest.raises(ErrorResponseException) as refusal:
        await sdk_client.conversations.create_conversation(ConversationParameters(**content))
    assert refusal.value.response.status_code == 400


async def test_conversations_are_listed(sdk_client: Any, conversation: Conversation) -> None:
    """Every conversation is listed with its members."""
    (listed,) = (await sdk_client.conversations.get_conversations()).conversations
    assert listed.id == conversation.id
    assert [member.id for member in listed.members] == list(conversation.members)


async def test_members_are_listed(sdk_client: Any, conversation: Conversation) -> None:
    """Members are listed all, page by page, one, or those of an activity."""
    operations = sdk_client.conversations
    expected = list(conversation.members)
    everybody = await operations.get_conversation_members(conversation.id)
    assert [member.id for member in everybody] == expected
    one = await operations.get_conversation_member(conversation.id, MEMBER["id"])
    assert (one.id, one.name) == (MEMBER["id"], MEMBER["name"])
    first = await operations.get_conversation_paged_members(conversation.id, page_size=2)
    rest = await operations.get_conversation_paged_members(
        conversation.id, page_size=2, continuation_token=first.continuation_token
    )
    assert [member.id for member in [*first.members, *rest.members]] == expected
    assert rest.continuation_token is None
    sent = await operations.send_to_conversation(conversation.id, text("to all"))
    readers = await operations.get_activity_members(conversation.id, sent.id)
    assert [member.id for member in readers] == expected


async def test_a_member_is_deleted(sdk_client: Any, conversation: Conversation) -> None:
    """A deleted member is not found."""
    await sdk_client.conversations.delete_conversation_member(conversation.id, MEMBER["id"])
    with pytest.raises(ErrorResponseException) as missing:
        await sdk_client.conversations.get_conversation_member(conversation.id, MEMBER["id"])
    assert missing.value.response.status_code == 404


async def test_an_attachment_is_uploaded_and_read_back(
    sdk_client: Any, conversation: Conversation
) -> None:
    """An attachment's name, type, sizes and views are as uploaded."""
    data = AttachmentData(
        type="image/png", name="dot.png", original_base64=b"\x89PNG...", thumbnail_base64=b"\x89P"
    )
    uploaded = await sdk_client.conversations.upload_attachment(conversation.id, data)
    info = await sdk_client.attachments.get_attachment_info(uploaded.id)
    assert (info.name, info.type) == ("dot.png", "image/png")
    assert {view.view_id: view.size for view in info.views} == {"original": 7, "thumbnail": 2}
    stream = await sdk_client.attachments.get_attachment(uploaded.id, "original")
    assert b"".join([chunk async for chunk in stream]) == b"\x89PNG..."


async def test_an_unknown_conversation_is_a_404(sdk_client: Any) -> None:
    """An unknown conversation is a 404, as an error that the SDK parses."""
    with pytest.raises(ErrorResponseException) as missing:
        await sdk_client.conversations.send_to_conversation("nowhere", text("hello?"))
    assert missing.value.response.status_code == 404
    assert missing.value.error.error.code == "ConversationNotFound"
    with pytest.raises(HttpOperationError):
        await sdk_client.conversations.get_conversation_paged_members("nowhere")


async def test_somebody_can_wait_for_the_bot(sdk_client: Any, connector: BotConnector) -> None:
    """`wait_for` returns once the bot's call makes its predicate true."""
    conversation = connector.conversations.create([MEMBER, BOT])
    waiting = asyncio.create_task(
        connector.conversations.wait_for(conversation.id, lambda it: len(it.activities) == 2)
    )
    await sdk_client.conversations.send_to_conversation(conversation.id, text("one"))
    assert not waiting.done()
    await sdk_client.conversations.send_to_conversation(conversation.id, text("two"))
    async with asyncio.timeout(30):
        assert await waiting is conversation
