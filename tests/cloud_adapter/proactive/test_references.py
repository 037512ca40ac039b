"""ConversationReferences: what is found by an id, and what blobs of others do."""

import pytest
from botbuilder.schema import Activity, ChannelAccount, ConversationReference

from cloud_adapter.codec import read_model, write_value
from cloud_adapter.errors import StorageUnavailable, UnknownFormat
from cloud_adapter.proactive.records import MAX_JOINED, ConversationRecord, UserRecord
from cloud_adapter.proactive.references import CONTAINER, ConversationReferences, conversation_blob
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from tests.support.storage.storage_front import StorageFront, after

ENTRA = "aaaaaaaa-0000-0000-0000-00000000000a"


@pytest.fixture
def blobs(account: StorageAccount) -> BlobContainer:
    """The container."""
    return BlobContainer(account, CONTAINER)


@pytest.fixture
def references(blobs: BlobContainer) -> ConversationReferences:
    """The store."""
    return ConversationReferences(blobs)


def message(
    channel: str = "msteams", conversation: str = "a:1", user: str = "29:1", name: str = "Ada"
) -> Activity:
    """A message in a personal chat."""
    data = {
        "type": "message",
        "id": "1",
        "channelId": channel,
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "from": {"id": user, "name": name, "aadObjectId": ENTRA},
        "recipient": {"id": "28:bot"},
        "conversation": {"id": conversation, "conversationType": "personal", "tenantId": "t"},
    }
    return read_model(Activity, data)


@pytest.mark.parametrize("recipient", ["29:1", ENTRA, ENTRA.upper(), "msteams/29:1"])
async def test_a_user_by_each_id(references: ConversationReferences, recipient: str) -> None:
    """The channel's id, and Entra's in any case."""
    await references.store(message())
    found = await references.find(recipient)
    assert isinstance(found, UserRecord)
    assert (found.user.id, found.conversation, found.tenant) == ("29:1", "a:1", "t")


@pytest.mark.parametrize("recipient", ["a:1", "29:1", ENTRA])
async def test_a_conversation_to_write_to(
    references: ConversationReferences, recipient: str
) -> None:
    """A bot finds the SDK's reference by the id of the conversation or of its user."""
    await references.store(message())
    found = await references.conversation(recipient)
    assert isinstance(found, ConversationReference)
    assert found.conversation.id == "a:1"


async def test_no_conversation_to_write_to(references: ConversationReferences) -> None:
    """An unknown id has none, nor has a user with whom the bot has no personal conversation."""
    joined = message(user="28:bot")
    joined.type, joined.conversation.conversation_type = "conversationUpdate", "channel"
    joined.members_added = [ChannelAccount(id="29:2")]
    await references.store(joined)
    assert await references.find("29:2")
    assert await references.conversation("29:2") is None
    assert await references.conversation("29:3") is None


async def test_all_conversations(references: ConversationReferences) -> None:
    """Every conversation, or those of one channel."""
    await references.store(message())
    await references.store(message("slack", "s:1"))
    found = [each.conversation.id async for each in references.conversations()]
    assert sorted(found) == ["a:1", "s:1"]
    found = [each.conversation.id async for each in references.conversations("slack")]
    assert found == ["s:1"]


async def test_an_activity_that_shows_the_bot_only(references: ConversationReferences) -> None:
    """The user whom an earlier one has shown stays in the conversation's record."""
    await references.store(message())
    await references.store(message(user="28:bot"))
    found = await references.find("a:1")
    assert isinstance(found, ConversationRecord)
    assert found.reference.user.id == "29:1"


async def test_many_who_join(references: ConversationReferences) -> None:
    """Some are stored at once, the others when they write, so that no turn stores them all."""
    update = message()
    update.type = "conversationUpdate"
    update.members_added = [ChannelAccount(id=f"29:x{number}") for number in range(2 * MAX_JOINED)]
    await references.store(update)
    ids = [each.id for each in update.members_added]
    found = [each for each in ids if await references.find(f"msteams/{each}")]
    assert found == ids[:MAX_JOINED]


async def test_the_same_id_on_two_channels(references: ConversationReferences) -> None:
    """Teams comes first; CHANNEL/ID finds the others."""
    await references.store(message("slack", user="U"))
    await references.store(message("msteams", user="V"))
    ids = {
        recipient: found.reference.channel_id
        for recipient in ("a:1", "slack/a:1", "msteams/a:1")
        if isinstance(found := await references.find(recipient), ConversationRecord)
    }
    assert ids == {"a:1": "msteams", "slack/a:1": "slack", "msteams/a:1": "msteams"}


@pytest.mark.parametrize("conversation", ["a/b", "..", "ключ", "x" * 2000, "a%2Fb\\c", "\ud83d"])
async def test_any_id(references: ConversationReferences, conversation: str) -> None:
    """Whatever a channel calls a conversation, it is found by that, and read as it was."""
    await references.store(message(conversation=conversation))
    found = await references.find(conversation)
    assert isinstance(found, ConversationRecord)
    assert found.reference.conversation.id == conversation
    assert [name async for name in references.names()] == [conversation_blob(found.id)]


async def test_nobody(references: ConversationReferences) -> None:
    """An id that was never seen, and one of another channel."""
    await references.store(message())
    assert await references.find("29:2") is None
    assert await references.find("slack/29:1") is None


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b'{"reference": 1}', b"\xff"])
async def test_a_blob_that_holds_something_else(
    references: ConversationReferences, blobs: BlobContainer, content: bytes
) -> None:
    """It is neither taken for a record nor written over."""
    await references.store(message())
    names = [entry.name async for entry in blobs.list()]
    for name in names:
        await blobs.write(name, content, ANY)
    for use in (references.find("a:1"), references.find("29:1"), references.store(message())):
        with pytest.raises(UnknownFormat, match="no known format version"):
            await use
    for name in names:
        blob = await blobs.read(name)
        assert blob
        assert blob.content == content


async def test_others_keep_writing(
    far_account: StorageAccount, front: StorageFront, blobs: BlobContainer
) -> None:
    """After some attempts to update a blob that others change, storage counts as unavailable."""
    references = ConversationReferences(BlobContainer(far_account, CONTAINER))
    await references.store(message())

    async def another_process_writes() -> None:
        for name in [entry.name async for entry in blobs.list()]:
            blob = await blobs.read(name)
            assert blob
            await blobs.write(name, blob.content, ANY)

    front.spoil("PUT blob bot-references", after(another_process_writes))
    with pytest.raises(StorageUnavailable, match="keep changing"):
        await references.store(message(name="Ada Lovelace"))


def test_a_record_holds_the_sdks_reference() -> None:
    """It is read back into the same ConversationReference, without an activity id."""
    record = ConversationRecord.of(message())
    again = ConversationRecord.parse(record.content)
    assert isinstance(again.reference, ConversationReference)
    assert write_value(again.reference) == write_value(record.reference)
    assert "activityId" not in write_value(again.reference)
    assert again.content == record.content
