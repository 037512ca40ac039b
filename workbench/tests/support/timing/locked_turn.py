"""LockedTurn: a turn that has locked its conversation until the test ends it."""

import asyncio

from cloud_adapter.errors import ConversationBusy
from cloud_adapter.state.lock import ConversationLocks

LONG = 60.0


class LockedTurn:
    """A turn in a conversation, in a task of its own.

    Args:
        locks: of a process.
        lock_timeout: seconds that it waits for the lock.
        name: the conversation's name.

    Attributes:
        started: it has the lock.
        task: raises what the turn raises.
    """

    def __init__(
        self, locks: ConversationLocks, lock_timeout: float = LONG, name: str = "c"
    ) -> None:
        self.started = asyncio.Event()
        self._locks = locks
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._run(locks, name, lock_timeout))

    @classmethod
    async def start(cls, locks: ConversationLocks, name: str = "c") -> "LockedTurn":
        """A turn that has the lock."""
        turn = cls(locks, name=name)
        await turn.started.wait()
        return turn

    async def _run(self, locks: ConversationLocks, name: str, lock_timeout: float) -> None:
        async with locks.lock(name, lock_timeout):
            self.started.set()
            await self._end.wait()

    def let_end(self) -> None:
        """Let it end as soon as it runs."""
        self._end.set()

    async def end(self) -> None:
        """Let it end, and wait for that; the lease is released if no other turn waits."""
        self._end.set()
        await self.task
        await self._locks.close()


async def is_free(locks: ConversationLocks, name: str = "c") -> bool:
    """Whether a turn that does not wait gets the lock."""

    async def look() -> bool:
        try:
            async with locks.lock(name, 0):
                return True
        except ConversationBusy:
            return False

    free = await asyncio.create_task(look())
    await locks.close()
    return free
