"""What is kept of conversations and users: turns of the composed app, over Azurite."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botbuilder.core import TurnContext

from auth.errors import CallerForbidden
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.references import CONTAINER
from cloud_adapter.storage.blobs import BlobContainer
from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.storage.storage_calls import StorageCalls

TENANT = "11111111-2222-3333-4444-555555555555"
ADA_IN_ENTRA = "aaaaaaaa-0000-0000-0000-000000000001"
ADA = {"id": "29:ada", "name": "Ada", "aadObjectId": ADA_IN_ENTRA}
BOB = {"id": "29:bob", "name": "Bob"}
MESSAGE = {"type": "message", "text": "sesame", "channelId": "msteams", "from": ADA}
TEAMS = {"channelData": {"tenant": {"id": TENANT}}}
PERSONAL = {"conversation": {"id": "a:1", "conversationType": "personal", "tenantId": TENANT}}
GROUP = {"conversation": {"id": "19:g", "conversationType": "groupChat", "isGroup": True}}
UPDATE = {"type": "conversationUpdate", "channelId": "msteams", "from": ADA}


@pytest.fixture
async def app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> AsyncIterator[ComposedApp]:
    """The composed app with storage."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as app:
        yield app


async def silent(_: TurnContext) -> None:
    """A bot that says nothing."""


async def kept(app: ComposedApp) -> dict[str, Any]:
    """What is stored, by blob."""
    assert app.parts.account
    blobs = BlobContainer(app.parts.account, CONTAINER)
    found = {}
    async for entry in blobs.list():
        blob = await blobs.read(entry.name)
        assert blob
        found[entry.name] = json.loads(blob.content)
    return found


async def test_a_message_in_a_personal_chat(app: ComposedApp) -> None:
    """The conversation is kept, and its user, by both ids, with all that a new one takes."""
    await app.deliver({**MESSAGE, **PERSONAL, **TEAMS, "locale": "en-GB"}, silent)
    found = await kept(app)
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


async def test_what_is_known_costs_nothing(
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
    """A conversation that begins with many messages is kept by one of them."""
    await app.deliver({**MESSAGE, **GROUP}, silent)  # the container is there
    calls = StorageCalls(monkeypatch)
    await asyncio.gather(*(app.deliver({**MESSAGE, **PERSONAL}, silent) for _ in range(10)))
    assert sorted(calls.take()) == ["GET"] * 3 + ["PUT"] * 3
    assert "conversations/msteams~2Fa~3A1" in await kept(app)


async def test_a_group_whose_members_talk(
    app: ComposedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its blob is the same whoever talks; each of them is kept, without a personal conversation."""
    await app.deliver({**MESSAGE, **GROUP}, silent)
    before = await kept(app)
    await app.deliver({**MESSAGE, **GROUP, "from": BOB, "locale": "de-DE"}, silent)
    found = await kept(app)
    assert found["conversations/msteams~2F19~3Ag"] == before["conversations/msteams~2F19~3Ag"]
    assert "user" not in found["conversations/msteams~2F19~3Ag"]["reference"]
    assert found["users/msteams~2F29~3Abob"]["conversation"] == ""
    calls = StorageCalls(monkeypatch)
    await app.deliver({**MESSAGE, **GROUP}, silent)
    await app.deliver({**MESSAGE, **GROUP, "from": BOB, "locale": "de-DE"}, silent)
    assert calls.take() == []


async def test_a_group_does_not_hide_the_personal_chat(app: ComposedApp) -> None:
    """Who is seen in a group keeps the personal conversation that is known."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    await app.deliver({**MESSAGE, **GROUP}, silent)
    assert (await kept(app))["users/msteams~2F29~3Aada"]["conversation"] == "a:1"


async def test_a_thread_is_its_channel(app: ComposedApp) -> None:
    """All threads of a channel of Teams are one conversation, without their messages' ids."""
    for thread in ("19:c@thread.tacv2;messageid=1", "19:c@thread.tacv2;messageid=2"):
        channel = {"id": thread, "conversationType": "channel", "isGroup": True}
        await app.deliver({**MESSAGE, "conversation": channel}, silent)
    found = [name for name in await kept(app) if name.startswith("conversations/")]
    assert found == ["conversations/msteams~2F19~3Ac~40thread~2Etacv2"]


async def test_members_that_join(app: ComposedApp) -> None:
    """Each member that joins is kept, the bot is not."""
    joined = [ADA, BOB, {"id": app.account["id"]}]  # Teams tells no roles
    await app.deliver({**UPDATE, **GROUP, "membersAdded": joined}, silent)
    users = [name for name in await kept(app) if name.startswith("users/")]
    assert users == [
        "users/msteams~2F29~3Aada",
        "users/msteams~2F29~3Abob",
        f"users/msteams~2F{ADA_IN_ENTRA}",
    ]


async def test_the_newest_service_url_wins(app: ComposedApp) -> None:
    """A service URL that has changed is the one that is kept, for the user too."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    moved = f"{app.service_url}emea/"
    await app.deliver({**MESSAGE, **PERSONAL, "serviceUrl": moved}, silent)
    found = await kept(app)
    assert found["conversations/msteams~2Fa~3A1"]["reference"]["serviceUrl"] == moved
    assert found["users/msteams~2F29~3Aada"]["serviceUrl"] == moved


async def test_processes_that_write_at_once(
    app: ComposedApp, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """Two processes that see the user at once, one of them in the personal chat, lose nothing."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as other:
        original, first = BlobContainer.write, True

        async def late(blobs: BlobContainer, name: str, *rest: Any) -> str:
            nonlocal first
            if name == "users/msteams~2F29~3Aada" and first:
                first = False
                await other.deliver({**MESSAGE, **PERSONAL}, silent)
            return await original(blobs, name, *rest)

        monkeypatch.setattr(BlobContainer, "write", late)
        await app.deliver({**MESSAGE, **GROUP}, silent)
    assert not first
    assert (await kept(app))["users/msteams~2F29~3Aada"]["conversation"] == "a:1"


@pytest.mark.parametrize("kind", ["installationUpdate", "conversationUpdate"])
async def test_the_bot_is_removed(app: ComposedApp, kind: str) -> None:
    """The conversation is gone, and its user has no personal one; added again, both are back."""
    await app.deliver({**MESSAGE, **PERSONAL}, silent)
    goes = {"action": "remove", "membersRemoved": [app.account]}
    await app.deliver({**UPDATE, **PERSONAL, "type": kind, **goes}, silent)
    found = await kept(app)
    assert "conversations/msteams~2Fa~3A1" not in found
    assert found["users/msteams~2F29~3Aada"]["conversation"] == ""
    assert found[f"users/msteams~2F{ADA_IN_ENTRA}"]["conversation"] == ""
    comes = {"action": "add", "membersAdded": [app.account]}
    await app.deliver({**UPDATE, **PERSONAL, "type": kind, **comes}, silent)
    found = await kept(app)
    assert "conversations/msteams~2Fa~3A1" in found
    assert found["users/msteams~2F29~3Aada"]["conversation"] == "a:1"


async def test_another_process_heard_of_the_removal(
    app: ComposedApp, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """A process that thinks the conversation known writes it when the bot is added again."""
    added = {**UPDATE, **PERSONAL, "membersAdded": [app.account]}
    await app.deliver(added, silent)
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as other:
        await other.deliver({**UPDATE, **PERSONAL, "membersRemoved": [app.account]}, silent)
    await app.deliver(added, silent)
    assert "conversations/msteams~2Fa~3A1" in await kept(app)


async def test_a_member_leaves(app: ComposedApp) -> None:
    """Somebody else's leaving takes nothing away."""
    await app.deliver({**UPDATE, **GROUP, "membersRemoved": [BOB]}, silent)
    assert "conversations/msteams~2F19~3Ag" in await kept(app)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "invoke", "name": "task/fetch"},
        {"deliveryMode": "expectReplies"},
        {"type": "event", "name": "ContinueConversation"},
        {"type": "typing"},
    ],
)
async def test_turns_that_keep_nothing(app: ComposedApp, content: dict[str, Any]) -> None:
    """Invokes, calls that wait for replies, events and typing tell of no conversation."""
    await app.deliver({**MESSAGE, **PERSONAL, **content}, silent)
    assert await kept(app) == {}


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
    """What a channel leaves out, or fills in oddly, never makes a turn fail."""
    turns: list[TurnContext] = []

    async def listen(turn: TurnContext) -> None:
        turns.append(turn)

    answer = await app.deliver({**MESSAGE, **PERSONAL, "type": kind, **gap}, listen)
    assert answer.status == 200
    assert turns
    for name in await kept(app):
        assert name.startswith(("conversations/msteams~2F", "users/msteams~2F"))


async def test_a_foreign_service_url(app: ComposedApp) -> None:
    """What the caller check refuses is not stored."""
    with pytest.raises(CallerForbidden):
        await app.deliver({**MESSAGE, **PERSONAL, "serviceUrl": "https://evil.example/"}, silent)
    assert await kept(app) == {}


# Without storage


@pytest.fixture
async def cut_off(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> AsyncIterator[ComposedApp]:
    """The app, whose storage account does not answer."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        port = closed.getsockname()[1]
        url = storage.partition("BlobEndpoint=")[2].partition(";")[0]
        gone = storage.replace(url, f"http://127.0.0.1:{port}/{url.rpartition('/')[2]}")
        async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": gone}) as app:
            yield app


async def test_a_message_goes_on(cut_off: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """The user is answered; one warning, without a word of what was said."""

    async def echo(turn: TurnContext) -> None:
        await turn.send_activity("heard")

    answer = await cut_off.deliver(MESSAGE, echo)
    assert answer.status == 200
    assert cut_off.heard() == ["heard"]
    [record] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "conversation reference is not stored" in record.getMessage()
    assert "sesame" not in caplog.text
    await cut_off.deliver(MESSAGE, echo)
    assert caplog.text.count("conversation reference is not stored") == 2


@pytest.mark.parametrize("kind", ["installationUpdate", "conversationUpdate"])
async def test_an_update_is_delivered_again(cut_off: ComposedApp, kind: str) -> None:
    """Its turn fails before the bot hears of it, so that the channel sends it again."""
    heard: list[TurnContext] = []

    async def listen(turn: TurnContext) -> None:
        heard.append(turn)

    with pytest.raises(StorageUnavailable):
        await cut_off.deliver({**UPDATE, **PERSONAL, "type": kind}, listen)
    assert not heard
