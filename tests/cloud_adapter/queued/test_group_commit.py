"""GroupCommit: records that arrive while others are stored are stored together, in their order."""

import asyncio

import pytest

from cloud_adapter.queued.queued_turns import MAX_BATCH_BYTES, Batch, GroupCommit

LARGE = bytes(MAX_BATCH_BYTES // 2)


class Store:
    """Stores one batch at a time, when the test lets it.

    Attributes:
        batches: the ids of each batch.
        fails: the next batch cannot be stored.
    """

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.fails = False
        self._gate = asyncio.Semaphore(0)

    async def __call__(self, batch: Batch) -> None:
        """Store a batch."""
        self.batches.append(batch.ids)
        assert len(batch.records) <= MAX_BATCH_BYTES or len(batch.ids) == 1
        await self._gate.acquire()
        if self.fails:
            self.fails = False
            raise LookupError

    async def finish(self, batches: int = 1) -> None:
        """Let the store finish so many batches, and let the others start."""
        for _ in range(batches):
            self._gate.release()
            await rest()


async def rest() -> None:
    """Let all tasks run until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def store() -> Store:
    """A store."""
    return Store()


@pytest.fixture
def commits(store: Store) -> GroupCommit:
    """Commits to that store."""
    return GroupCommit(store)


def adding(
    commits: GroupCommit, ids: str, record: bytes = b"x", conversation: str = "c"
) -> list[asyncio.Task[None]]:
    """Tasks that add records."""
    return [asyncio.create_task(commits.add(conversation, each, record)) for each in ids]


async def test_records_that_arrive_meanwhile(commits: GroupCommit, store: Store) -> None:
    """They wait, and are stored together; each caller waits until its own record is stored."""
    first = adding(commits, "a")
    await rest()
    others = adding(commits, "bcd")
    await rest()
    assert store.batches == [["a"]]
    await store.finish()
    assert store.batches == [["a"], ["b", "c", "d"]]
    assert (first[0].done(), others[0].done()) == (True, False)
    await store.finish()
    await asyncio.gather(*others)
    last = adding(commits, "e")
    await rest()
    await store.finish()
    await asyncio.gather(*last)
    assert store.batches[2:] == [["e"]]


async def test_conversations_do_not_wait_for_each_other(commits: GroupCommit, store: Store) -> None:
    """Their records are stored at the same time."""
    tasks = adding(commits, "a") + adding(commits, "b", conversation="d")
    await rest()
    assert store.batches == [["a"], ["b"]]
    await store.finish(2)
    await asyncio.gather(*tasks)


async def test_a_failure(commits: GroupCommit, store: Store) -> None:
    """The callers of a batch get its error, and the next batch is stored all the same."""
    tasks = adding(commits, "a")
    await rest()
    tasks += adding(commits, "bc")
    await rest()
    await store.finish()
    tasks += adding(commits, "d")
    store.fails = True
    await store.finish(2)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] == [type(None), LookupError, LookupError, type(None)]


async def test_a_caller_that_is_cancelled(commits: GroupCommit, store: Store) -> None:
    """The batch is stored for the others."""
    first, second = adding(commits, "ab")
    await rest()
    first.cancel()
    await store.finish()
    await second
    assert store.batches == [["a", "b"]]


async def test_the_only_caller_is_cancelled(commits: GroupCommit, store: Store) -> None:
    """The batch is stored, and not kept."""
    (only,) = adding(commits, "a")
    await rest()
    only.cancel()
    await rest()
    assert commits._last
    await store.finish()
    assert not commits._last


@pytest.mark.parametrize(
    ("record", "count", "batches"),
    [
        (LARGE, 5, [1, 2, 2]),
        (bytes(MAX_BATCH_BYTES + 1), 3, [1, 1, 1]),
    ],
)
async def test_the_size_of_a_batch(
    commits: GroupCommit, store: Store, record: bytes, count: int, batches: list[int]
) -> None:
    """It is limited, and those who come later wait for all before them."""
    ids = "".join(map(chr, range(1000, 1000 + count)))
    tasks = adding(commits, ids[0], record)
    await rest()
    tasks += adding(commits, ids[1:], record)
    await rest()
    await store.finish(len(batches))
    await asyncio.gather(*tasks)
    assert list(map(len, store.batches)) == batches
    assert [each for batch in store.batches for each in batch] == list(ids)
