"""Whoever claims another user's id gets none of that user's proactive messages."""

import dataclasses
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from bot_workbench.emulator.channel.conversations import Conversation
from cloud_adapter.activities import CHANNELS
from cloud_adapter.codec import read_model
from cloud_adapter.proactive.records import ConversationRecord, UserRecord, users_of
from cloud_adapter.proactive.references import CONTAINER
from cloud_adapter.storage.blobs import ANY, BlobContainer, name_part
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import TENANT, Notifier, texts

ADA = "00000000-0000-0000-0000-000000000001"
"""Ada's object id in Entra; `notifier.add_user(1)` has her write to the bot."""

FORGED: dict[str, Any] = {
    "from": {"id": "29:1", "name": "Ada", "role": "user", "aadObjectId": ADA},
    "channelData": {"tenant": {"id": TENANT}, "eventType": "x"},
}
UNVOUCHED = [each for each in CHANNELS if each != "msteams"]


async def silent(_: TurnContext) -> None:
    """A bot that says nothing."""


@pytest.fixture
def blobs(notifier: Notifier) -> BlobContainer:
    """Where conversation references are stored."""
    return BlobContainer(notifier.account, CONTAINER)


async def claims_to_be_ada(app: ComposedApp, channel: str) -> Conversation:
    """A client on another channel sends activities with Ada's ids; returns its conversation."""
    conversation = app.cloud.conversations.create([FORGED["from"], app.account])
    account = {"id": conversation.id, "conversationType": "personal", "tenantId": TENANT}
    claimed = {**FORGED, "channelId": channel, "conversation": account}
    await app.deliver({"type": "message", **claimed}, silent)
    joined = {"membersAdded": [FORGED["from"], app.account]}
    await app.deliver({"type": "conversationUpdate", **claimed, **joined}, silent)
    return conversation


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("channel", ["webchat", "directline", "slack", "emulator"])
async def test_a_notification_never_reaches_the_forger(
    app: ComposedApp, notifier: Notifier, channel: str, known: bool
) -> None:
    """Whoever claims Ada's ids gets none of her messages, whether or not the bot knows her."""
    forger = await claims_to_be_ada(app, channel)
    ada = await notifier.add_user(1) if known else None
    before = set(app.cloud.conversations.by_id)
    recipients = ["29:1", ADA, f"{channel}/29:1", f"{channel}/{ADA}"]
    await notifier.send({"to": recipients, "text": "for Ada"})
    assert texts(forger) == []
    assert set(app.cloud.conversations.by_id) == before, "no conversation was created"
    results = await notifier.results()
    assert {results[each][0] for each in recipients[2:]} == {"unknown"}
    if ada:
        assert texts(ada) == ["for Ada"]
        assert sorted(results[each][0] for each in recipients[:2]) == ["repeated", "sent"]
    else:
        assert {results[each][0] for each in recipients[:2]} == {"unknown"}


async def test_the_conversation_itself(app: ComposedApp, notifier: Notifier) -> None:
    """On every channel a conversation can be addressed by its id, and `all` includes it."""
    conversation = await claims_to_be_ada(app, "webchat")
    await notifier.send({"to": conversation.id, "text": "one"})
    await notifier.send({"to": "all", "text": "two"}, "m2")
    assert texts(conversation) == ["one", "two"]


@pytest.mark.parametrize("channel", UNVOUCHED)
def test_nothing_is_stored_of_users(app: ComposedApp, channel: str) -> None:
    """Neither the sender nor a new member is stored, nor the tenant that they claim."""
    content = {"type": "conversationUpdate", **FORGED, "membersAdded": [FORGED["from"]]}
    activity: Any = read_model(Activity, {**app.activity(content), "channelId": channel})
    activity.conversation.additional_properties["tenantId"] = TENANT
    assert users_of(activity) == []
    assert ConversationRecord.of(activity).tenant == ""


async def test_a_user_record_on_another_channel(
    app: ComposedApp, notifier: Notifier, blobs: BlobContainer
) -> None:
    """Whoever wrote it, it is not read, whether the recipient is an id or a channel and an id."""
    conversation = await claims_to_be_ada(app, "webchat")
    content = {"type": "message", **FORGED, "channelId": "msteams"}
    [as_in_teams] = users_of(read_model(Activity, app.activity(content)))
    record = dataclasses.replace(
        as_in_teams, channel_id="webchat", tenant=TENANT, conversation=conversation.id
    )
    for each in record.ids:
        await blobs.write(f"users/{name_part(each)}", record.content, ANY)
    assert UserRecord.parse(record.content).conversation == conversation.id
    recipients = ["29:1", ADA, "webchat/29:1", f"webchat/{ADA}"]
    await notifier.send({"to": recipients, "text": "for Ada"})
    assert texts(conversation) == []
    assert {result for result, _ in (await notifier.results()).values()} == {"unknown"}
