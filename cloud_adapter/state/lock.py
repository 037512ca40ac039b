"""ConversationLocks: one turn of a conversation at a time, in this process and in all others."""

import asyncio
import logging
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from cloud_adapter.errors import ConversationBusy, StorageUnavailable
from cloud_adapter.storage.blobs import LEASE_SECONDS, BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-conversations"

FIRST_LOOK, LAST_LOOK = 0.05, 0.5
"""Seconds between two looks at a lease that another process has; the pause grows."""

LONGEST_HOLD = 5.0
"""Seconds that a process may keep a lease for turns of its own, while others wait."""

log = logging.getLogger(__name__)


def conversation_name(activity: Any) -> str:
    """What a conversation is called in names of blobs."""
    return name_part(f"{activity.channel_id}/{activity.conversation.id}")


class _Hold:
    """Somebody's turn in a conversation, known to all that runs within it.

    Attributes:
        ended: the turn is over, though what it has started may go on.
    """

    def __init__(self, conversation: str, around: "_Hold | None") -> None:
        self.ended = False
        self._conversation = conversation
        self._around = around if around is not None and not around.ended else None

    def of(self, conversation: str) -> bool:
        """This hold, or one around it, is of the conversation and goes on."""
        if self._conversation == conversation and not self.ended:
            return True
        return self._around is not None and self._around.of(conversation)


_HOLD: ContextVar[_Hold | None] = ContextVar("conversation hold", default=None)


def within_a_hold() -> bool:
    """Whether this code runs within a turn that holds a conversation, whichever."""
    return _HOLD.get() is not None


class ConversationLocks:
    """Lets one turn of a conversation run at a time.

    Within a process turns come in the order in which they asked. Between processes a blob's lease
    decides, and no order is promised. A process that dies gives its leases back 15 seconds later.

    Args:
        blobs: the container of the leased blobs; None: there is no other process.
    """

    def __init__(self, blobs: BlobContainer | None = None) -> None:
        self._blobs = blobs
        self._known: dict[str, _Conversation] = {}

    def held(self, conversation: str) -> bool:
        """Whether this code runs within a turn that holds the conversation."""
        hold = _HOLD.get()
        return hold is not None and hold.of(conversation)

    def lost(self, conversation: str) -> bool:
        """Whether a conversation that is held here may be held elsewhere, too."""
        known = self._known.get(conversation)
        return known is not None and known.lost

    @asynccontextmanager
    async def hold(self, conversation: str, patience: float) -> AsyncIterator[None]:
        """Hold a conversation; within a turn that holds it already, this costs nothing.

        Args:
            conversation: see `conversation_name`.
            patience: seconds to wait for it.

        Raises:
            ConversationBusy: another turn went on for longer than that.
            StorageUnavailable: the lease cannot be asked for.
        """
        if self.held(conversation):
            yield
            return
        known = self._known.setdefault(conversation, _Conversation(conversation, self._blobs))
        known.users += 1
        try:
            async with known.held(patience):
                around = _HOLD.get()
                hold = _Hold(conversation, around)
                _HOLD.set(hold)
                try:
                    yield
                finally:
                    hold.ended = True
                    _HOLD.set(around)  # a turn that went elsewhere is back in its own
        finally:
            known.users -= 1
            if not known.users:
                self._known.pop(conversation, None)
                await known.end()


class _Conversation:
    """One conversation's turns in this process, and its lease while they go on.

    Attributes:
        users: how many have it or wait for it.
    """

    def __init__(self, name: str, blobs: BlobContainer | None) -> None:
        self.users = 0
        self._name = name
        self._blobs = blobs
        self._lock = asyncio.Lock()
        self._lease: _Lease | None = None

    @property
    def lost(self) -> bool:
        """The lease has gone to another process."""
        return self._lease is not None and self._lease.lost

    @asynccontextmanager
    async def held(self, patience: float) -> AsyncIterator[None]:
        deadline = asyncio.get_running_loop().time() + patience
        try:
            async with asyncio.timeout(patience):
                await self._lock.acquire()
        except TimeoutError:
            raise ConversationBusy("another turn of the conversation goes on here") from None
        try:
            if self._blobs is not None and self._lease is None:
                self._lease = await _Lease.taken(self._blobs, self._name, deadline)
            yield
        finally:
            try:
                await self._give_back()
            finally:
                self._lock.release()

    async def end(self) -> None:
        """Give back what was kept for a turn that did not come."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.end()

    async def _give_back(self) -> None:
        """Keep the lease for the next turn that waits here, but not for ever."""
        if self._lease is not None and (
            self.users == 1 or self.lost or self._lease.age > LONGEST_HOLD
        ):
            await self.end()


class _Lease:
    """A lease, renewed until it ends.

    Attributes:
        lost: another process has it by now.
    """

    def __init__(self, blobs: BlobContainer, name: str, lease_id: str) -> None:
        self._blobs = blobs
        self._name = name
        self._lease_id = lease_id
        self.lost = False
        self._since = asyncio.get_running_loop().time()
        self._renewing = asyncio.create_task(self._renew())

    @classmethod
    async def taken(cls, blobs: BlobContainer, name: str, deadline: float) -> "_Lease":
        """The lease, once nobody else has it.

        Raises:
            ConversationBusy: somebody had it until the deadline (event loop time).
        """
        lease_id, pause = str(uuid.uuid4()), FIRST_LOOK
        while not await blobs.lease(name, lease_id):
            if asyncio.get_running_loop().time() + pause >= deadline:
                raise ConversationBusy("another turn of the conversation goes on elsewhere")
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load
            pause = min(2 * pause, LAST_LOOK)
        return cls(blobs, name, lease_id)

    @property
    def age(self) -> float:
        """Seconds since it was taken."""
        return asyncio.get_running_loop().time() - self._since

    async def end(self) -> None:
        """Give it back; if that cannot be done, it ends by itself."""
        self._renewing.cancel()
        try:
            await self._blobs.release(self._name, self._lease_id)
        except StorageUnavailable as error:
            log.warning("A conversation waits %d s for its next turn: %s", LEASE_SECONDS, error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                if not await self._blobs.renew(self._name, self._lease_id):
                    # Its state is safe: what another turn has written is not overwritten.
                    self.lost = True
                    log.warning("A conversation's lease has gone to another process")
                    return
            except StorageUnavailable as error:
                log.warning("A conversation's lease is not renewed: %s", error)
