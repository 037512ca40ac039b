"""BlobStorage, the rules that MemoryStorage shares, and that what is unknown is never empty."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.errors import StateConflict, StorageUnavailable
from cloud_adapter.state.blob_storage import CONTAINER, BlobStorage
from cloud_adapter.state.memory_storage import MemoryStorage
from cloud_adapter.storage.account import CALL_TIMEOUT, StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import name_part
from tests.support.storage.storage_front import (
    Fault,
    StorageFront,
    answered,
    cut_after,
    cut_before,
    silent,
)
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

KEYS = ["webchat/conversations/a", "webchat/users/../a", "a%2Fb", "😀 \ud83d", "x" * 3000, "/"]
READ, WRITE, REMOVE = f"GET blob {CONTAINER}", f"PUT blob {CONTAINER}", f"DELETE blob {CONTAINER}"


def in_blobs(account: StorageAccount) -> BlobStorage:
    """The bot's storage in this account."""
    return BlobStorage(BlobContainer(account, CONTAINER))


@pytest.fixture(params=["blobs", "memory"])
def state(request: pytest.FixtureRequest, account: StorageAccount) -> Storage:
    """A storage of each kind, with nothing in it."""
    return in_blobs(account) if request.param == "blobs" else MemoryStorage()


@pytest.fixture
def far(far_account: StorageAccount) -> BlobStorage:
    """A storage behind the front."""
    return in_blobs(far_account)


async def stored(state: Storage, key: str = "k") -> dict[str, Any]:
    """An item without its ETag."""
    item: dict[str, Any] = (await state.read([key]))[key]
    return {name: value for name, value in item.items() if name != "e_tag"}


# The rules of both


async def test_what_is_not_there(state: Storage) -> None:
    """Before anything was written, and beside what was, there is simply nothing."""
    assert await state.read(["a", "b"]) == {}
    assert await state.read([]) == {}
    await state.delete(["a"])
    await state.write({})
    await state.write({"a": {"x": 1}})
    assert (await state.read(["b", "a"])).keys() == {"a"}


async def test_many_keys(state: Storage) -> None:
    """Items of awkward keys are written, read and deleted, many at once."""
    changes: dict[str, dict[str, Any]] = {key: {"key": key, "x": [None, 1.5]} for key in KEYS}
    await state.write(changes)
    found = await state.read(KEYS)
    assert list(found) == KEYS
    assert found == changes  # their ETags, too
    assert all(item["e_tag"] for item in found.values())
    await state.delete(KEYS[1:])
    assert (await state.read(KEYS)).keys() == {KEYS[0]}


async def test_a_new_item_must_be_new(state: Storage) -> None:
    """Without an ETag nothing is replaced."""
    await state.write({"k": {"x": 1}})
    with pytest.raises(StateConflict):
        await state.write({"k": {"x": 2}})
    assert await stored(state) == {"x": 1}


async def test_a_stale_item_is_not_written(state: Storage) -> None:
    """Who has read before another one wrote must not write."""
    await state.write({"k": {"x": 1}})
    mine, theirs = (await state.read(["k"]), await state.read(["k"]))
    await state.write({"k": {**theirs["k"], "x": 2}})
    with pytest.raises(StateConflict):
        await state.write({"k": {**mine["k"], "x": 3}})
    assert await stored(state) == {"x": 2}


@pytest.mark.parametrize("etag", ["no such", '"0x0"', 5])
async def test_an_etag_that_never_was(state: Storage, etag: Any) -> None:
    """It replaces nothing, and makes nothing."""
    for there in (False, True):
        if there:
            await state.write({"k": {"x": 1}})
        with pytest.raises(StateConflict):
            await state.write({"k": {"x": 2, "e_tag": etag}})
    assert await stored(state) == {"x": 1}


async def test_an_item_that_is_gone(state: Storage) -> None:
    """What was deleted meanwhile does not come back by an old ETag, but can be written anew."""
    item: dict[str, Any] = {"x": 1}
    await state.write({"k": item})
    await state.delete(["k"])
    with pytest.raises(StateConflict):
        await state.write({"k": item})
    assert await state.read(["k"]) == {}
    await state.write({"k": {"x": 2}})
    assert await stored(state) == {"x": 2}


async def test_the_last_writer_may_win(state: Storage) -> None:
    """The ETag `*` replaces whatever is there, and makes what is not."""
    for number in range(3):
        await state.write({"k": {"x": number, "e_tag": "*"}})
        assert await stored(state) == {"x": number}


async def test_two_writes_in_a_row(state: Storage) -> None:
    """The same dict can be written again and again: each write leaves its new ETag in it."""
    item: dict[str, Any] = {"x": 0}
    seen = set()
    for number in range(3):
        item["x"] = number
        await state.write({"k": item})
        seen.add(item["e_tag"])
    assert len(seen) == 3
    assert await state.read(["k"]) == {"k": item}


async def test_one_of_many_writers_wins(state: Storage) -> None:
    """Of twenty that write on the same version, and of twenty that make an item, one does."""
    await state.write({"old": {"x": -1}})
    before = (await state.read(["old"]))["old"]
    for key, item in (("old", before), ("new", {})):
        writes = [state.write({key: {**item, "x": number}}) for number in range(20)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        lost = [each for each in results if isinstance(each, StateConflict)]
        assert (len(lost), results.count(None)) == (19, 1)
        assert await stored(state, key) == {"x": results.index(None)}


async def test_what_is_handed_out_is_a_copy(state: Storage) -> None:
    """Who changes what he has read, or has written, changes nothing that is stored."""
    item: dict[str, Any] = {"x": {"y": [1]}}
    await state.write({"k": item})
    item["x"]["y"].append(2)
    (await state.read(["k"]))["k"]["x"]["y"].append(3)
    assert await stored(state) == {"x": {"y": [1]}}


@pytest.mark.parametrize("value", [(1,), object(), {1: 2}, float("nan")])
async def test_what_json_has_no_form_for(state: Storage, value: Any) -> None:
    """It is refused, and what was stored before stays."""
    item: dict[str, Any] = {"x": 1}
    await state.write({"k": item})
    with pytest.raises((TypeError, ValueError), match=r"^state\.x "):
        await state.write({"k": {**item, "x": value}})
    assert await stored(state) == {"x": 1}


async def test_the_sdk_s_own_state(state: Storage) -> None:
    """botbuilder's classes work on it: twice saved in a turn, and read in the next one."""
    conversation, user = ConversationState(state), UserState(state)
    count = conversation.create_property("count")
    name = user.create_property("name")
    activity = Activity(
        type="message",
        channel_id="webchat",
        conversation=ConversationAccount(id="c/1"),
        from_property=ChannelAccount(id="u/1"),
    )

    async def turn() -> tuple[Any, Any]:
        context = TurnContext(TestAdapter(), activity)
        for _ in range(2):
            await count.set(context, (await count.get(context, lambda: 0)) + 1)
            await name.set(context, {"first": "Ada"})
            await conversation.save_changes(context)
            await user.save_changes(context)
        return await count.get(context), await name.get(context)

    assert await turn() == (2, {"first": "Ada"})
    assert await turn() == (4, {"first": "Ada"})
    context = TurnContext(TestAdapter(), activity)
    await conversation.load(context)
    await conversation.delete(context)
    assert await turn() == (2, {"first": "Ada"})


# Azure Storage


async def test_what_stands_in_a_blob(account: StorageAccount) -> None:
    """It is plain JSON, without the ETag, which is the blob's own."""
    state, blobs = in_blobs(account), BlobContainer(account, CONTAINER)
    await state.write({"a/b": {"x": "é"}})
    blob = await blobs.read(name_part("a/b"))
    assert blob
    assert blob.content == b'{"x":"\\u00e9"}'
    assert (await state.read(["a/b"]))["a/b"]["e_tag"] == blob.etag


async def test_one_of_many_makes_the_container(account: StorageAccount) -> None:
    """Many writers of a new account's first items do not get in each other's way."""
    state = in_blobs(account)
    await asyncio.gather(*(state.write({f"k{number}": {"x": number}}) for number in range(20)))
    found = await state.read([f"k{number}" for number in range(20)])
    assert [item["x"] for item in found.values()] == list(range(20))


REFUSALS: list[tuple[Fault, str]] = [
    (answered(403), "Storage Blob Data Owner"),
    (answered(401), "Storage Blob Data Owner"),
    (answered(400), "answers 400"),
    (answered(409), "answers 409"),
    (answered(429), "answers 429"),
    (answered(500), "answers 500"),
    (answered(503), "answers 503"),
    (cut_before, "does not answer"),
    (cut_after, "does not answer"),
]


@pytest.mark.parametrize(("fault", "cure"), REFUSALS)
async def test_a_read_that_fails(
    far: BlobStorage, front: StorageFront, fault: Fault, cure: str
) -> None:
    """Whatever it is but `not found`, the state is not said to be empty."""
    await far.write({"k": {"x": 1}, "l": {"x": 2}})
    front.spoil(READ, fault)
    with pytest.raises(StorageUnavailable, match=cure):
        await far.read(["k", "l"])
    front.heal()
    assert await stored(far) == {"x": 1}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"<html>\xff</html>", b"[" * 200_000])
async def test_a_blob_that_holds_no_state(account: StorageAccount, body: bytes) -> None:
    """It is not taken for an empty one."""
    await BlobContainer(account, CONTAINER).write("k", body, None)
    with pytest.raises(StorageUnavailable, match="bot-state holds no state"):
        await in_blobs(account).read(["k"])


@pytest.mark.parametrize("status", [200, 206, 404])
async def test_an_html_page(far: BlobStorage, front: StorageFront, status: int) -> None:
    """What a proxy or a portal says is no state: not even its `not found` is."""
    front.spoil(READ, answered(status, b"<html>Welcome</html>", "text/html"))
    with pytest.raises(StorageUnavailable):
        await far.read(["k"])


async def test_one_of_two_that_cannot_be_read(far: BlobStorage, front: StorageFront) -> None:
    """No half of an answer is given."""
    await far.write({"k": {"x": 1}, "l": {"x": 2}})
    front.spoil(f"{READ}", answered(403), times=1)
    with pytest.raises(StorageUnavailable):
        await far.read(["k", "l"])


async def test_a_hiccup(far: BlobStorage, front: StorageFront) -> None:
    """One or two bad answers are got over in the same call."""
    for fault in (answered(500), answered(503), cut_before):
        front.spoil(READ, fault, times=2)
        front.spoil(WRITE, fault, times=2)
        item: dict[str, Any] = {"x": 1, "e_tag": "*"}
        await far.write({"k": item})
        assert await far.read(["k"]) == {"k": item}


@pytest.mark.parametrize("work", ["read", "write", "delete"])
async def test_silence(far: BlobStorage, front: StorageFront, clock: MovedClock, work: str) -> None:
    """An account that says nothing is given up after a while."""
    await far.write({"k": {"x": 1}})
    works: dict[str, Callable[[], Awaitable[Any]]] = {
        "read": lambda: far.read(["k"]),
        "write": lambda: far.write({"k": {"x": 2, "e_tag": "*"}}),
        "delete": lambda: far.delete(["k"]),
    }
    front.spoil("", silent)
    before = len(front.calls)
    task = asyncio.ensure_future(works[work]())
    await comes_true(lambda: len(front.calls) > before)
    clock.move(CALL_TIMEOUT + 1)
    with pytest.raises(StorageUnavailable, match="is silent for 8 s"):
        await task
    front.heal()
    await settled()
    assert await stored(far) == {"x": 1}


@pytest.mark.parametrize(("fault", "cure"), [each for each in REFUSALS if each[0] is not cut_after])
async def test_a_write_that_fails(
    far: BlobStorage, front: StorageFront, fault: Fault, cure: str
) -> None:
    """It is told, changes nothing, and is no conflict unless the account says so."""
    item: dict[str, Any] = {"x": 1}
    await far.write({"k": item})
    front.spoil(WRITE, fault)
    with pytest.raises((StorageUnavailable, StateConflict)) as caught:
        await far.write({"k": {**item, "x": 2}})
    assert cure in str(caught.value) or "409" in cure
    front.heal()
    assert await far.read(["k"]) == {"k": item}


@pytest.mark.parametrize(("fault", "cure"), [each for each in REFUSALS if each[0] is not cut_after])
async def test_a_deletion_that_fails(
    far: BlobStorage, front: StorageFront, fault: Fault, cure: str
) -> None:
    """It is told, and what was to go stays."""
    await far.write({"k": {"x": 1}})
    front.spoil(REMOVE, fault)
    with pytest.raises(StorageUnavailable, match=cure):
        await far.delete(["k"])
    front.heal()
    assert await stored(far) == {"x": 1}


async def test_a_write_whose_answer_is_lost(far: BlobStorage, front: StorageFront) -> None:
    """The second attempt meets what the first one wrote: a conflict, as nobody can tell here."""
    item: dict[str, Any] = {"x": 1}
    await far.write({"k": item})
    front.spoil(WRITE, cut_after, times=1)
    with pytest.raises(StateConflict):
        await far.write({"k": {**item, "x": 2}})
    assert await stored(far) == {"x": 2}


async def test_a_container_that_cannot_be_made(far: BlobStorage, front: StorageFront) -> None:
    """An identity without the role for it is told so."""
    front.spoil(f"PUT blob {CONTAINER}", answered(403), skip=1)
    with pytest.raises(StorageUnavailable, match="Storage Blob Data Owner"):
        await far.write({"k": {"x": 1}})
    front.heal()
    assert await far.read(["k"]) == {}


async def test_no_content_in_errors(far: BlobStorage, front: StorageFront, storage: str) -> None:
    """Neither what is stored nor the account's key stands in an error."""
    key = dict(pair.split("=", 1) for pair in storage.split(";"))["AccountKey"]
    front.spoil(WRITE, answered(403, json.dumps({"said": "sesame"}).encode()))
    with pytest.raises(StorageUnavailable) as caught:
        await far.write({"k": {"x": "sesame"}})
    error: BaseException | None = caught.value
    assert "sesame" not in str(error)
    while error is not None:
        assert key not in str(error)
        error = error.__cause__ or error.__context__
