"""Inbox: records are read from where the conversation's state says, and removed behind it."""

import asyncio
import json

import pytest
from azure.storage.blob.aio import BlobClient

from cloud_adapter.errors import StorageUnavailable, UnreadableActivity
from cloud_adapter.queued.inbox import (
    LONG_READ_BYTES,
    MIN_TRUNCATED_BYTES,
    READ_BYTES,
    Inbox,
    StoredActivity,
    record,
)
from cloud_adapter.queued.set_aside import CONTAINER
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import EMPTY_STATE, InboxPosition
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from tests.support.bots.queued_turns import CLAIMS, content
from tests.support.storage.storage_front import StorageFront, after, answered, cut_after


@pytest.fixture
def states(account: StorageAccount) -> BlobContainer:
    """The container of the conversations' states."""
    return BlobContainer(account, "states")


@pytest.fixture
def inbox(account: StorageAccount, states: BlobContainer) -> Inbox:
    """The inboxes of a process."""
    return Inbox(BlobContainer(account, CONTAINER), ConversationLocks(states))


@pytest.fixture
def far(far_account: StorageAccount) -> Inbox:
    """The same inboxes in a process whose account is behind the proxy."""
    locks = ConversationLocks(BlobContainer(far_account, "states"))
    return Inbox(BlobContainer(far_account, CONTAINER), locks)


async def read(inbox: Inbox, position: InboxPosition | None = None) -> list[bytes]:
    """The records from a position on."""
    return [each for each, _, _ in await inbox.read("c", position)]


async def end_of(inbox: Inbox, position: InboxPosition | None = None) -> InboxPosition:
    """The position behind the records from a position on."""
    return [each for _, _, each in await inbox.read("c", position)][-1]


async def test_an_inbox_that_does_not_exist(inbox: Inbox) -> None:
    """It has no records, whatever the state says."""
    for position in (None, InboxPosition(0, 0), InboxPosition(5, 9)):
        records = await inbox.read("c", position)
        assert list(records) == []
        assert records.are_last
        await inbox.truncate("c", records)


async def test_records(inbox: Inbox, states: BlobContainer) -> None:
    """They are read from any position; the first ones create the inbox and the state."""
    for each in (b"1\n", b"22\n333\n"):
        await inbox.append("c", each)
    records = await inbox.read("c", None)
    found = list(records)
    assert [content for content, _, _ in found] == [b"1\n", b"22\n", b"333\n"]
    assert records.are_last
    start = found[0][1].start
    assert [position for _, _, position in found] == [
        InboxPosition(start, start + length) for length in (2, 5, 9)
    ]
    for number, (_, _, position) in enumerate(found):
        assert await read(inbox, position) == [b"22\n", b"333\n"][number:]
    state = await states.read("c")
    assert state
    assert state.content == EMPTY_STATE


async def test_an_existing_state(inbox: Inbox, states: BlobContainer) -> None:
    """It stays as it is, even if a turn has leased it."""
    await states.write("c", b'{"a": 1}', None)
    await states.acquire_lease("c", "00000000-0000-0000-0000-000000000001")
    await inbox.append("c", b"1\n")
    state = await states.read("c")
    assert state
    assert state.content == b'{"a": 1}'


async def test_two_processes_that_create_an_inbox(inbox: Inbox, far: Inbox) -> None:
    """Both append to the same one."""
    await asyncio.gather(*(each.append("c", b"1\n") for each in (inbox, far)))
    assert await read(inbox) == [b"1\n", b"1\n"]


@pytest.mark.parametrize("read_bytes", [READ_BYTES, LONG_READ_BYTES])
async def test_more_than_one_read(inbox: Inbox, read_bytes: int) -> None:
    """A read ends with a whole record, and the next one continues behind it."""
    large = [bytes([letter]) * (read_bytes * 2 // 5) + b"\n" for letter in b"abcdef"]
    for each in large:
        await inbox.append("c", each)
    found: list[bytes] = []
    position: InboxPosition | None = None
    sizes = []
    are_last = False
    while not are_last:
        records = await inbox.read("c", position)
        are_last = records.are_last
        sizes.append(len(list(records)))
        found += [each for each, _, _ in records]
        position = list(records)[-1][2]
    assert found == large
    assert sizes == [2, 2, 2]


async def test_a_read_without_a_newline(inbox: Inbox) -> None:
    """What somebody else has written is a record, too: it is dead-lettered."""
    await inbox.append("c", b"1\n")
    for _ in range(3):
        await inbox.append("c", bytes(LONG_READ_BYTES // 2))
    records = await inbox.read("c", await end_of_first(inbox))
    ((content, _, position),) = records
    assert len(content) == LONG_READ_BYTES - 1
    assert not records.are_last
    assert list(map(len, await read(inbox, position))) == [LONG_READ_BYTES // 2 + 1]


async def truncated(inbox: Inbox) -> InboxPosition:
    """Truncate an inbox; returns the position that the state has by then."""
    await inbox.append("c", b"x" * MIN_TRUNCATED_BYTES + b"\n")
    position = await end_of(inbox)
    await inbox.truncate("c", await inbox.read("c", position))
    return position


async def test_truncation(inbox: Inbox) -> None:
    """The position stays valid: records that follow are read, and nothing else."""
    position = await truncated(inbox)
    assert await read(inbox) == await read(inbox, position) == []
    await inbox.append("c", b"1\n")
    await inbox.append("c", b"2\n")
    assert await read(inbox, position) == [b"1\n", b"2\n"]
    first = next(iter(await inbox.read("c", position)))[2]
    assert first == InboxPosition(position.next, position.next + 2)
    assert await read(inbox, first) == [b"2\n"]


async def test_a_short_inbox(inbox: Inbox) -> None:
    """It is not truncated, because each truncation is a write."""
    await inbox.append("c", b"x" * (MIN_TRUNCATED_BYTES // 2))
    await inbox.truncate("c", await inbox.read("c", None))
    assert len(await read(inbox)) == 1


async def test_a_users_token(inbox: Inbox) -> None:
    """It does not stay in the inbox once its event is processed."""
    await inbox.append("c", b'{"type": "event", "name": "tokens/response"}\n')
    await inbox.truncate("c", await inbox.read("c", None))
    assert await read(inbox) == []


async def test_a_record_during_a_truncation(inbox: Inbox, far: Inbox, front: StorageFront) -> None:
    """The inbox is left as it is, so the record is read."""
    await inbox.append("c", b"x" * MIN_TRUNCATED_BYTES + b"\n")
    records = await far.read("c", None)

    async def append() -> None:
        await inbox.append("c", b"1\n")

    front.spoil("PUT blob", after(append))
    await far.truncate("c", records)
    assert await read(inbox, await end_of_first(inbox)) == [b"1\n"]


async def end_of_first(inbox: Inbox) -> InboxPosition:
    """The position behind the first record."""
    return next(iter(await inbox.read("c", None)))[2]


async def test_a_truncation_whose_answer_is_lost(
    inbox: Inbox, far: Inbox, front: StorageFront
) -> None:
    """It is done, and the position stays valid."""
    await inbox.append("c", b"x" * MIN_TRUNCATED_BYTES + b"\n")
    records = await far.read("c", None)
    position = await end_of(inbox)
    front.spoil("PUT blob", cut_after, times=1)
    await far.truncate("c", records)
    await inbox.append("c", b"1\n")
    assert await read(inbox, position) == [b"1\n"]


async def test_another_inbox(inbox: Inbox, storage: str) -> None:
    """A position of an inbox that was deleted does not hide records of the next one."""
    await inbox.append("c", b"1\n2\n3\n")
    position = await end_of(inbox)
    async with BlobClient.from_connection_string(storage, CONTAINER, "inbox/c") as blob:
        await blob.delete_blob()
    await inbox.append("c", b"4\n5\n6\n7\n")
    assert await read(inbox, position) == [b"4\n", b"5\n", b"6\n", b"7\n"]
    later = InboxPosition(position.start + 10**18, position.next + 10**18)  # a clock was wrong
    assert await read(inbox, later) == [b"4\n", b"5\n", b"6\n", b"7\n"]


async def test_an_earlier_position(inbox: Inbox) -> None:
    """One from a restored backup: what is still there is read."""
    await inbox.append("c", b"1\n")
    early = await end_of_first(inbox)
    position = await truncated(inbox)
    await inbox.append("c", b"2\n")
    assert early.next < position.next
    ((content, _, end),) = await inbox.read("c", early)
    assert (content, end) == (b"2\n", InboxPosition(position.next, position.next + 2))


async def test_a_full_inbox(far: Inbox, front: StorageFront) -> None:
    """After 50,000 appends Azure takes no more, and the channel has to send again."""
    await far.append("c", b"1\n")
    full = answered(409, headers={"x-ms-error-code": "BlockCountExceedsLimit"})
    front.spoil("PUT blob appendblock", full)
    with pytest.raises(StorageUnavailable):
        await far.append("c", b"2\n")


def test_a_record() -> None:
    """It is one line, from which the activity's id and time are read without its content."""
    body = json.dumps(json.loads(content(text="one\ntwo")), indent=1).encode()
    line = record("0af9", 17, CLAIMS, body)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    stored = StoredActivity.of_record("c", line)
    assert (stored.name, stored.id, stored.accepted_at) == ("c/0af9", "0af9", 17)
    accepted = stored.parse()
    assert (accepted.activity.text, accepted.claims, accepted.failure) == ("one\ntwo", CLAIMS, "")


def test_a_record_of_an_agents_hosting_parent() -> None:
    """It is stored as received, with `_channelId` for `channelId`."""
    body = content(text="x").replace(b'"channelId"', b'"_channelId"')
    activity = StoredActivity.of_record("c", record("0af9", 17, CLAIMS, body)).parse().activity
    assert activity.channel_id == "webchat"
    assert activity.additional_properties == {}


@pytest.mark.parametrize(
    "line", [b"", b"hello\n", b"[]\n", b'{"v": 1, "id": "x", "accepted": 1, \n']
)
def test_a_record_of_somebody_else(line: bytes) -> None:
    """It has a name, but it cannot be read."""
    stored = StoredActivity.of_record("c", line)
    assert stored.name.startswith("c/")
    assert stored.accepted_at == 0
    with pytest.raises(UnreadableActivity):
        stored.parse()
