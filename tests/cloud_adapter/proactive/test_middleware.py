"""ConversationReferenceMiddleware: what turns of the composed app store in Azurite."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from auth.errors import CallerForbidden
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.codec import read_model
from cloud_adapter.deadlines import START_SECONDS
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.references import (
    CONTAINER,
    ConversationReferenceMiddleware,
    ConversationReferences,
)
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.queued_turns import LongTurn
from tests.support.storage.storage_calls import StorageCalls
from tests.support.storage.storage_front import Pass, Passage, StorageFront, after, answered
from tests.support.timing.loop_turns import ended, settled
from tests.support.timing.moved_clock import MovedClock

TENANT = "11111111-2222-3333-4444-555555555555"
ADA_IN_ENTRA = "aaaaaaaa-0000-0000-0000-000000000001"
ADA = {"id": "29:ada", "name": "Ada", "aadObjectId": ADA_IN_ENTRA}
BOB = {"id": "29:bob", "name": "Bob"}
MESSAGE = {"type": "message", "text": "sesame", "channelId": "msteams", "from": ADA}
TEAMS = {"channelData": {"tenant": {"id": TENANT}}}
PERSONAL = {"conversation": {"id": "a:1", "conversationType": "personal", "tenantId": TENANT}}
GROUP = {"conversation": {"id": "19:g", "conversationType": "groupChat", "isGroup": True}}
UPDATE = {"type": "conversationUpdate", "channelId": "msteams", "from": ADA}


async def silent(_: TurnContext) -> None:
    """A bot that says nothing."""


async def stored(app: ComposedApp) -> dict[str, Any]:
    """The stored content, by blob."""
    assert app.parts.account
    blobs = BlobContainer(app.parts.account, CONTAINER)
    found = {}
    async for entry in blobs.list():
        blob = await blobs.read(entry.name)
        assert blob
        found[entry.name] = json.loads(blob.content)
        assert found[entry.name].pop("v") == 1
    return found


async def test_a_message_in_a_personal_chat(app: ComposedApp) -> None:
    """The conversation is stored, and its user by both ids, with all that a new one needs."""
    await app.deliver({**MESSAGE, **PERSONAL, **TEAMS, "locale": "en-GB"}, silent)
    found = await stored(app)
    conversation = found.pop("conversations/msteams~2Fa~3A1")
    assert conversation["type"] == "personal"
    assert conversation["tenant"] == TENANT
    assert conversation["reference"] == {
        "user": ADA,
        "bot": app.account,
        "conversation": PERSONAL["conversation"],
        "channelId": "msteams",
        "locale": "en-GB",
        "serviceUrl": app.service_url,
    }
    by_channel, by_entra = (
        found.pop("users/msteams~2F29~3Aada"),
        found.pop(f"users/msteams~2F{ADA_IN_ENTRA}"),
    )
    assert by_channel == by_entra
    assert by_channel == {
        "user": ADA,
        "bot": app.account,
        "channelId": "msteams",
        "serviceUrl": app.service_url,
        "tenant": TENANT,
        "conversation": "a:1",
    }
    assert not found


async def test_what_is_stored_costs_nothing(
    app: ComposedApp, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """The second message makes no storage call; in a new process it reads, and writes nothing."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    calls = StorageCalls(monkeypatch)
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    assert calls.take() == []
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as other:
        await other.deliver({**MESSAGE, **PERSONAL}, silent)
    assert calls.take() == ["GET"] * 3


async def test_messages_at_once(app: ComposedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation that begins with many messages is stored by one of them."""
    await app.deliver({**MESSAGE, **GROUP}, silent)  # the container is there
    calls = StorageCalls(monkeypatch)
    await asyncio.gather(*(app.deliver({**MESSAGE, **PERSONAL}, silent) for _ in range(10)))
    assert sorted(calls.take()) == ["GET"] * 3 + ["PUT"] * 3
    assert "conversations/msteams~2Fa~3A1" in await stored(app)


async def test_a_group_whose_members_write(
    app: ComposedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its blob does not depend on who writes; each user is stored, without a personal chat."""
    await app.deliver({**MESSAGE, **GROUP}, silent)
    before = await stored(app)
    await app.deliver({**MESSAGE, **GROUP, "from": BOB, "locale": "de-DE"}, silent)
    found = await stored(app)
    assert found["conversations/msteams~2F19~3Ag"] == before["conversations/msteams~2F19~3Ag"]
    assert "user" not in found["conversations/msteams~2F19~3Ag"]["reference"]
    assert found["users/msteams~2F29~3Abob"]["conversation"] == ""
    calls = StorageCalls(monkeypatch)
    await app.deliver({**MESSAGE, **GROUP}, silent)
    await app.deliver({**MESSAGE, **GROUP, "from": BOB, "locale": "de-DE"}, silent)
    assert calls.take() == []


async def test_a_group_does_not_hide_the_personal_chat(app: ComposedApp) -> None:
    """A user who then writes in a group keeps the personal conversation."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    await app.deliver({**MESSAGE, **GROUP}, silent)
    assert (await stored(app))["users/msteams~2F29~3Aada"]["conversation"] == "a:1"


async def test_a_thread_is_its_channel(app: ComposedApp) -> None:
    """All threads of a Teams channel are one conversation, without their messages' ids."""
    for thread in ("19:c@thread.tacv2;messageid=1", "19:c@thread.tacv2;messageid=2"):
        channel = {"id": thread, "conversationType": "channel", "isGroup": True}
        await app.deliver({**MESSAGE, "conversation": channel}, silent)
    found = [name for name in await stored(app) if name.startswith("conversations/")]
    assert found == ["conversations/msteams~2F19~3Ac~40thread~2Etacv2"]


async def test_members_that_join(app: ComposedApp) -> None:
    """Each member that joins is stored, but not the bot."""
    joined = [ADA, BOB, {"id": app.account["id"]}]  # Teams sends no roles
    await app.deliver({**UPDATE, **GROUP, "membersAdded": joined}, silent)
    users = [name for name in await stored(app) if name.startswith("users/")]
    assert users == [
        "users/msteams~2F29~3Aada",
        "users/msteams~2F29~3Abob",
        f"users/msteams~2F{ADA_IN_ENTRA}",
    ]


async def test_the_newest_service_url_wins(app: ComposedApp) -> None:
    """A service URL that has changed replaces the stored one, for the user too."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    moved = f"{app.service_url}emea/"
    await app.deliver({**MESSAGE, **PERSONAL, "serviceUrl": moved}, silent)
    found = await stored(app)
    assert found["conversations/msteams~2Fa~3A1"]["reference"]["serviceUrl"] == moved
    assert found["users/msteams~2F29~3Aada"]["serviceUrl"] == moved


async def test_processes_that_write_at_once(
    app: ComposedApp, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> None:
    """Two processes see the user at once, one of them in the personal chat: nothing is lost."""
    through_front = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, through_front) as other:
        written: list[str] = []

        async def late(passage: Passage, passed: Pass) -> web.StreamResponse:
            name = passage.call.path
            if "users/" in name and "ada" in name and not written:
                written.append(name)
                await app.deliver({**MESSAGE, **PERSONAL}, silent)
            return await passed()

        front.spoil("PUT blob bot-references", late)
        await other.deliver({**MESSAGE, **GROUP}, silent)
    assert written
    assert (await stored(app))["users/msteams~2F29~3Aada"]["conversation"] == "a:1"


@pytest.mark.parametrize("kind", ["installationUpdate", "conversationUpdate"])
async def test_the_bot_is_removed(app: ComposedApp, kind: str) -> None:
    """The conversation is removed, from its user too; when the bot is added, both are back."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    goes = {"action": "remove", "membersRemoved": [app.account]}
    await app.deliver({**UPDATE, **PERSONAL, "type": kind, **goes}, silent)
    found = await stored(app)
    assert "conversations/msteams~2Fa~3A1" not in found
    assert found["users/msteams~2F29~3Aada"]["conversation"] == ""
    assert found[f"users/msteams~2F{ADA_IN_ENTRA}"]["conversation"] == ""
    comes = {"action": "add", "membersAdded": [app.account]}
    await app.deliver({**UPDATE, **PERSONAL, "type": kind, **comes}, silent)
    found = await stored(app)
    assert "conversations/msteams~2Fa~3A1" in found
    assert found["users/msteams~2F29~3Aada"]["conversation"] == "a:1"


async def test_a_message_after_a_removal(app: ComposedApp) -> None:
    """It brings the conversation back, though it shows nothing new."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    await app.deliver({**UPDATE, **PERSONAL, "membersRemoved": [app.account]}, silent)
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    assert "conversations/msteams~2Fa~3A1" in await stored(app)


async def test_a_removal_that_another_process_handled(
    app: ComposedApp, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """A process that remembers the conversation as stored writes it when the bot is added again."""
    added = {**UPDATE, **PERSONAL, "membersAdded": [app.account]}
    await app.deliver(added, silent)
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as other:
        await other.deliver({**UPDATE, **PERSONAL, "membersRemoved": [app.account]}, silent)
    await app.deliver(added, silent)
    assert "conversations/msteams~2Fa~3A1" in await stored(app)


async def test_a_member_leaves(app: ComposedApp) -> None:
    """When another member leaves, nothing is removed."""
    await app.deliver({**UPDATE, **GROUP, "membersRemoved": [BOB]}, silent)
    assert "conversations/msteams~2F19~3Ag" in await stored(app)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "invoke", "name": "task/fetch"},
        {"deliveryMode": "expectReplies"},
        {"type": "event", "name": "ContinueConversation"},
        {"type": "typing"},
    ],
)
async def test_turns_that_store_nothing(app: ComposedApp, content: dict[str, Any]) -> None:
    """Nothing is stored of invokes, of events, of typing, or of calls that expect replies."""
    await app.deliver({**MESSAGE, **PERSONAL, **content}, silent)
    assert await stored(app) == {}


@pytest.mark.parametrize("kind", ["message", "conversationUpdate", "installationUpdate"])
@pytest.mark.parametrize(
    "gap",
    [
        {"recipient": None, "membersAdded": [ADA]},
        {"recipient": {"name": "Bot"}, "membersRemoved": [{"name": "Nobody"}]},
        {"from": None},
        {"from": {"name": "Nobody"}},
        {"membersAdded": [None, {}], "membersRemoved": [None, {}]},
        {"conversation": {"id": "a:1", "tenantId": 7, "properties": {"x": [1.5, None]}}},
        {"channelData": ["odd"], "locale": 7},
    ],
)
async def test_activities_with_gaps(app: ComposedApp, kind: str, gap: dict[str, Any]) -> None:
    """What a channel leaves out, or fills in unexpectedly, never makes a turn fail."""
    turns: list[TurnContext] = []

    async def listen(turn: TurnContext) -> None:
        turns.append(turn)

    answer = await app.deliver({**MESSAGE, **PERSONAL, "type": kind, **gap}, listen)
    assert answer.status == 200
    assert turns
    for name in await stored(app):
        assert name.startswith(("conversations/msteams~2F", "users/msteams~2F"))


async def test_a_foreign_service_url(app: ComposedApp) -> None:
    """What the caller check refuses is not stored."""
    with pytest.raises(CallerForbidden):
        await app.deliver({**MESSAGE, **PERSONAL, "serviceUrl": "https://evil.example/"}, silent)
    assert await stored(app) == {}


@pytest.fixture
async def cut_off(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """The app, whose storage account refuses every call."""
    front.spoil("", answered(403))
    settings = {"AzureWebJobsStorage": front.connection_string}
    async with ComposedApp(cloud, monkeypatch, settings) as app:
        yield app


async def test_a_message_without_storage(
    cut_off: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """The user gets the reply; the log has one warning, without what was said."""

    async def echo(turn: TurnContext) -> None:
        await turn.send_activity("heard")

    answer = await cut_off.deliver(MESSAGE, echo)
    assert answer.status == 200
    assert cut_off.texts() == ["heard"]
    own = [each for each in caplog.records if each.name.startswith("cloud_adapter")]
    [record] = [each for each in own if each.levelno >= logging.WARNING]
    assert "conversation reference is not stored" in record.getMessage()
    assert "sesame" not in caplog.text
    await cut_off.deliver(MESSAGE, echo)
    assert caplog.text.count("conversation reference is not stored") == 2


async def test_a_message_with_slow_storage(
    app: ComposedApp,
    far_account: StorageAccount,
    front: StorageFront,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer waits for it as long as the channel does; it is stored all the same.

    Seven of eight seconds pass before the bot's turn, because a call to storage has limits, too.
    """
    clock = MovedClock(monkeypatch)
    references = ConversationReferences(BlobContainer(far_account, CONTAINER))
    middleware = ConversationReferenceMiddleware(references)
    activity = read_model(Activity, app.activity({**MESSAGE, **PERSONAL}))
    context = TurnContext(app.parts.adapter, activity)
    storage, bot = LongTurn(), LongTurn()
    front.spoil(f"GET blob {CONTAINER}", after(storage))
    with clock.stopped():
        context.arrived_at = clock.time() - START_SECONDS + 1
        turn = asyncio.create_task(middleware.on_turn(context, bot))
        await clock.until(storage.started.is_set)
        clock.move(0.5)
        bot.ends.set()
        await settled()
        assert not turn.done()
        clock.move(0.5)
        await ended(turn)
        storage.ends.set()
        await clock.until(lambda: not middleware._storing)
    assert "conversations/msteams~2Fa~3A1" in await stored(app)


@pytest.mark.parametrize("kind", ["installationUpdate", "conversationUpdate"])
async def test_an_update_without_storage(cut_off: ComposedApp, kind: str) -> None:
    """The turn fails before it reaches the bot, so that the channel sends the activity again."""
    seen: list[TurnContext] = []

    async def listen(turn: TurnContext) -> None:
        seen.append(turn)

    with pytest.raises(StorageUnavailable):
        await cut_off.deliver({**UPDATE, **PERSONAL, "type": kind}, listen)
    assert not seen


async def test_the_cache_is_bounded(app: ComposedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation that is no longer remembered as stored is compared with storage again."""
    middleware = ConversationReferenceMiddleware(app.parts.services.references, max_cached=1)
    calls = StorageCalls(monkeypatch)

    async def logic() -> None:
        """A bot that does nothing."""

    async def storage_calls(conversation: str) -> list[str]:
        content = {**MESSAGE, "channelId": "slack", "conversation": {"id": conversation}}
        activity = read_model(Activity, app.activity(content))
        await middleware.on_turn(TurnContext(app.parts.adapter, activity), logic)
        return calls.take()

    assert "PUT" in await storage_calls("one")
    assert await storage_calls("one") == []
    assert "PUT" in await storage_calls("two")
    assert await storage_calls("one") == ["GET"]
