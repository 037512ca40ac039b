"""ConversationLocks: one turn of a conversation at a time, in this process and in all others.

- `ConversationLocks` has one `_ConversationLock` for each conversation that is in use here.
- A `_ConversationLock` is an asyncio.Lock, for which turns in this process wait, and a `_BlobLease`
  of the blob with the conversation's state, which other processes respect. Between two turns that
  soon follow each other, it keeps the lease and the blob as it was last read or written.
- A `HeldLock` is what a turn gets from it: the right to read and write the state until it ends.
"""

import asyncio
import functools
import itertools
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from cloud_adapter.deadlines import storage_in_time
from cloud_adapter.errors import BlobChanged, BlobLeased, ConversationBusy, StorageUnavailable
from cloud_adapter.state.stored_state import EMPTY_STATE, InboxPosition, LoadedState
from cloud_adapter.storage.blobs import LEASE_SECONDS, Blob, Container, name_part
from http_client.observer import moment
from http_client.retry import Backoff

log = logging.getLogger(__name__)

RENEWAL_SECONDS = LEASE_SECONDS / 3
"""The time between two renewals: one that fails is tried again before the lease expires."""

MAX_WRITE_WAIT_SECONDS = 3.0
"""The time for which a write waits until another process's lease is open, or released: more than
the second in which it is not open."""

BACKOFF = Backoff(first=0.05, longest=0.5)
"""The pauses between attempts to acquire a lease that another process has, or to write its blob."""


def conversation_name(activity: Any) -> str:
    """The name of an Activity's conversation: that of its state's blob."""
    return name_part(f"{activity.channel_id}/conversations/{activity.conversation.id}")


class ConversationLocks:
    """All conversations' locks: one turn of each at a time, which reads and writes its state.

    Within a process, turns get the lock in the order in which they asked for it. Between processes
    the lease of the state's blob decides, in no particular order. The leases of a process that dies
    expire after 15 seconds.

    Args:
        blobs: the container of the state.
        renewal_seconds: the time between two renewals of a lease.
    """

    def __init__(self, blobs: Container, renewal_seconds: float = RENEWAL_SECONDS) -> None:
        self._blobs = blobs
        self._renewal_seconds = renewal_seconds
        self._locks: dict[str, _ConversationLock] = {}

    def lease_lost(self, name: str) -> bool:
        """Whether another process may have the lock of a conversation that is locked here."""
        lock = self._locks.get(name)
        return lock is not None and lock.lease_lost

    @asynccontextmanager
    async def lock(
        self,
        name: str,
        lock_timeout: float,
        meanwhile: Callable[[], Awaitable[object]] | None = None,
        known: Blob | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator["HeldLock"]:
        """Lock a conversation, unless the turn that runs this code has locked it already.

        Args:
            name: see `conversation_name`.
            lock_timeout: seconds to wait for the lock.
            meanwhile: reads what else the turn needs, at the same time as the state: once no other
                turn here holds the lock.
            known: the state as it was read without the lock: it is read again only if it changed.
            deadline: until when the lease is acquired and everything is read, in event loop time
                (seconds); None: as long as each call to storage may take.

        Raises:
            ConversationBusy: another turn was still running after that time.
            StorageUnavailable: the lease cannot be acquired, or the state cannot be read, or not in
                time.
        """
        if held := held_locks().get(name):
            if meanwhile is not None:
                await meanwhile()
            yield held
            return
        lock = self._locks.get(name)
        if lock is None:
            forget = functools.partial(self._locks.pop, name, None)
            lock = _ConversationLock(self._blobs, name, self._renewal_seconds, forget)
            self._locks[name] = lock
        async with lock.acquired(lock_timeout, meanwhile, known, deadline):
            outer = _live(_HELD.get())
            held = HeldLock(lock, self, outer)
            _HELD.set(held)
            try:
                yield held
            finally:
                held.ended = True
                _HELD.set(outer)

    async def close(self) -> None:
        """Release the leases that are kept for further turns."""
        await asyncio.gather(*(lock.close() for lock in list(self._locks.values())))

    @moment("state.read")
    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist.

        Raises:
            StorageUnavailable: it cannot be read, so it is not known whether it exists.
        """
        lock = self._locks.get(name)
        return await (self._blobs.read(name) if lock is None else lock.read())

    @moment("state.write")
    async def write(self, name: str, content: bytes, etag: str | None) -> str:
        """Write a blob, and return its new ETag; see BlobContainer.

        Raises:
            BlobChanged: the blob is another version, is gone, or exists although `etag` is None.
            ConversationBusy: another process's turn had leased it for too long.
            StorageUnavailable: the account does not answer, or refuses access.
        """
        new = await self._with_lease(
            name,
            lambda lease_id: self._blobs.write(name, content, etag, lease_id=lease_id),
        )
        self._note(name, Blob(content, new, {}))
        return new

    async def create(self, name: str) -> None:
        """Create the state of a new conversation, if there is none.

        Raises:
            StorageUnavailable: the account does not answer, or refuses access.
        """
        with suppress(BlobChanged, BlobLeased):  # it exists
            etag = await self._blobs.write(name, EMPTY_STATE, None)
            self._note(name, Blob(EMPTY_STATE, etag, {}))

    @moment("state.delete")
    async def delete(self, name: str) -> None:
        """Delete a blob, if it exists; raises as `write` does."""
        await self._with_lease(name, lambda lease_id: self._blobs.delete(name, lease_id=lease_id))
        self._note(name, None)

    def _note(self, name: str, blob: Blob | None) -> None:
        if lock := self._locks.get(name):
            lock.note(blob)

    async def _with_lease[Result](
        self, name: str, call: Callable[[str | None], Awaitable[Result]]
    ) -> Result:
        """Try a call until no other process has the blob's lease, or its lease is open."""
        loop = asyncio.get_running_loop()
        end = loop.time() + MAX_WRITE_WAIT_SECONDS
        with suppress(BlobLeased):
            return await call(None)
        for attempt in itertools.count(1):
            with suppress(BlobLeased):
                return await call(open_lease_id(name))
            pause = BACKOFF.pause(attempt)
            if loop.time() + pause > end:
                break
            await asyncio.sleep(pause)
        raise ConversationBusy("another process's turn keeps state from being written")


class HeldLock:
    """A conversation's lock while a turn holds it: everything that runs within the turn shares it.

    Args:
        lock: the lock.
        locks: all locks; they write the blob.
        outer: the lock that the code held already that got this one, of another conversation.

    Attributes:
        name: the conversation's name.
        position: what the next turn that begins within the lock saves with its state; that turn
            sets it to None.
        ended: the turn is over, even if tasks that it started are still running.
    """

    def __init__(
        self, lock: "_ConversationLock", locks: ConversationLocks, outer: "HeldLock | None"
    ) -> None:
        self.name = lock.name
        self.outer = outer
        self.ended = False
        self.position: InboxPosition | None = None
        self._lock = lock
        self._locks = locks

    @property
    def blob(self) -> Blob | None:
        """The conversation's state as it was last read or written; None if there is none."""
        return self._lock.blob

    async def confirm(self) -> None:
        """Wait until other processes respect the lock: a new conversation's is not leased at first.

        Raises:
            ConversationBusy: another process was quicker, or storage is unavailable.
        """
        await self._lock.created()
        if self._lock.lease_lost:
            raise ConversationBusy("the new conversation could not be leased")

    async def save(
        self,
        state: LoadedState,
        turn_id: str = "",
        position: InboxPosition | None = None,
        streams: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write the conversation's state, on top of what was written since it was loaded.

        For the arguments and what this raises, see `LoadedState.save`.
        """
        await self._lock.created()
        state.catch_up(self.blob)
        await state.save(self._locks, self.name, turn_id, position, streams)

    async def write_position(self, position: InboxPosition) -> None:
        """Write the position alone; it raises as `save` does."""
        await self.save(LoadedState(self.blob), position=position)

    async def write_stream(self, key: str, message_id: str) -> None:
        """Write a begun message alone, see ConversationTurn; it raises as `save` does."""
        await self.save(LoadedState(self.blob), streams={key: message_id})


_HELD: ContextVar[HeldLock | None] = ContextVar("lock", default=None)


def held_locks() -> dict[str, HeldLock]:
    """The locks that the turn holds which runs this code, by the conversation's name."""
    locks = {}
    held = _live(_HELD.get())
    while held is not None:
        locks[held.name] = held
        held = _live(held.outer)
    return locks


def _live(held: HeldLock | None) -> HeldLock | None:
    """A lock whose turn has not ended: this one, or the closest one around it."""
    while held is not None and held.ended:
        held = held.outer
    return held


MAX_LEASE_REUSE_SECONDS = 5.0
"""The age up to which the next turn in this process takes over a lease. An older one is released
between two turns, so that other processes get the conversation, too."""

LEASE_GRACE_SECONDS = 0.02
"""The time for which a lease is kept for another turn in this process, after the last one."""


class _ConversationLock:
    """A conversation's lock: turns in this process wait for it, other processes for its lease.

    Args:
        blobs: the container of the leased blob.
        name: its name.
        renewal_seconds: the time between two renewals of the lease.
        forget: is called when nobody uses the lock, and its lease is released.

    Attributes:
        blob: as it was last read or written in this process; None: it does not exist.
    """

    def __init__(
        self, blobs: Container, name: str, renewal_seconds: float, forget: Callable[[], object]
    ) -> None:
        self.name = name
        self.blob: Blob | None = None
        self._blobs = blobs
        self._renewal_seconds = renewal_seconds
        self._forget = forget
        self._users = 0  # turns that have the lock or wait for it
        self._lock = asyncio.Lock()
        self._lease: _BlobLease | None = None
        self._creating: asyncio.Task[None] | None = None
        self._release_timer: asyncio.TimerHandle | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._writes = 0

    @property
    def lease_lost(self) -> bool:
        """Whether another process may have acquired the lease."""
        if self._lease is not None:
            return self._lease.lost
        return self._creating is not None and self._creating.done()

    @asynccontextmanager
    async def acquired(
        self,
        lock_timeout: float,
        meanwhile: Callable[[], Awaitable[object]] | None,
        known: Blob | None,
        deadline: float | None,
    ) -> AsyncIterator[None]:
        """Own the lock and its lease; see `ConversationLocks.lock`."""
        self._users += 1
        if self._release_timer is not None:
            self._release_timer.cancel()
        try:
            await self._enter(lock_timeout, meanwhile, known, deadline)
            try:
                yield
            finally:
                self._lock.release()
        finally:
            self._users -= 1
            if not self._users:
                self._release_soon()

    @moment("state.lock")
    async def _enter(
        self,
        lock_timeout: float,
        meanwhile: Callable[[], Awaitable[object]] | None,
        known: Blob | None,
        deadline: float | None,
    ) -> None:
        """Wait for the lock in this process, and then for its lease."""
        lock_deadline = asyncio.get_running_loop().time() + lock_timeout
        is_free = self._users == 1  # so no timer is needed
        try:
            async with asyncio.timeout_at(None if is_free else lock_deadline):
                await self._lock.acquire()
        except TimeoutError:
            raise ConversationBusy(
                "another turn of the conversation is running in this process"
            ) from None
        try:
            await storage_in_time(self._take(lock_deadline, meanwhile, known), deadline)
        except BaseException:
            self._lock.release()
            raise

    def _release_soon(self) -> None:
        """Keep the lease for a moment: the channel need not wait for the release."""
        if self._is_releasing:
            return
        if self._lease is None and self._creating is None:
            self._forget()
            return
        loop = asyncio.get_running_loop()
        self._release_timer = loop.call_later(LEASE_GRACE_SECONDS, self._start_release)

    @property
    def _is_releasing(self) -> bool:
        return self._releasing is not None and not self._releasing.done()

    def _start_release(self) -> None:
        if self._release_timer is not None:
            self._release_timer.cancel()
        if not self._users and not self._is_releasing:
            self._releasing = asyncio.create_task(self._release())

    async def _release(self) -> None:
        await self.created()
        await self._release_lease()
        if not self._users:
            self._forget()

    async def close(self) -> None:
        """Release the lease now, unless a turn has the lock or waits for it."""
        self._start_release()
        await self._released()

    async def _released(self) -> None:
        if self._releasing is not None:
            await asyncio.wait({self._releasing})

    async def read(self) -> Blob | None:
        """The blob; None if it does not exist."""
        writes = self._writes
        blob = await self._blobs.read(self.name)
        if writes == self._writes:
            self.blob = blob
        return blob

    def note(self, blob: Blob | None) -> None:
        """Note what has been written; None: the blob has been deleted."""
        self.blob = blob
        self._writes += 1

    async def created(self) -> None:
        """Wait until the blob of a first turn has been created and leased."""
        if self._creating is not None:
            await asyncio.wait({self._creating})

    async def _release_lease(self) -> None:
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.release()

    async def _take(
        self,
        lock_deadline: float,
        meanwhile: Callable[[], Awaitable[object]] | None,
        known: Blob | None,
    ) -> None:
        """Take over the lease and the blob of the turn before, or acquire and read them.

        However this ends, no lease is cut off half-way: it is acquired and released in tasks of
        their own, and the next turn waits for the release.
        """
        await self._released()
        await self.created()
        self._creating = self._releasing = None
        if self._lease and (self._lease.lost or self._lease.age > MAX_LEASE_REUSE_SECONDS):
            self._releasing = asyncio.create_task(self._release())
            await self._released()
        try:
            if self._lease is None:
                await self._acquire_lease(lock_deadline, meanwhile, known)
            elif self._lease.is_open:  # another process may have written
                await self._read(meanwhile)
            elif meanwhile is not None:
                await meanwhile()
        except BaseException:
            if self._lease is not None:  # without the blob, it is of no use to the next turn
                self._releasing = asyncio.create_task(self._release())
            raise

    async def _acquire_lease(
        self,
        lock_deadline: float,
        meanwhile: Callable[[], Awaitable[object]] | None,
        known: Blob | None,
    ) -> None:
        has_waited = False
        try:
            etag = await self._acquire_at_once(meanwhile, known)
        except BlobLeased:
            etag = await self._wait_for_lease(lock_deadline)
            has_waited = True
        if etag is None:
            # A new conversation: its turn need not wait until there is a blob to lease.
            self.blob = None
            self._creating = asyncio.create_task(self._create())
            return
        if self.blob is None or self.blob.etag != etag:
            await self._read(meanwhile)
        elif has_waited and meanwhile is not None:
            await meanwhile()

    async def _acquire_at_once(
        self, meanwhile: Callable[[], Awaitable[object]] | None, known: Blob | None
    ) -> str | None:
        """Acquire the lease without waiting, and read the blob unless it is known.

        Returns:
            As `_BlobLease.acquire`.

        Raises:
            BlobLeased: another process has the lease, or had it when `known` was read.
        """
        if known is not None and known.is_leased:
            raise BlobLeased("somebody else had the blob's lease when it was read")
        if known is None:
            return await self._acquire(self._read(meanwhile))
        self.blob = known
        return await self._acquire(meanwhile and meanwhile())

    async def _acquire(self, reading: Awaitable[object] | None = None) -> str | None:
        """Acquire a new lease; the argument and the result are those of `_BlobLease.acquire`."""
        self._lease = self._new_lease()  # set now, so that it is released however this ends
        etag = await self._lease.acquire(reading)
        if etag is None:
            self._lease = None
        return etag

    async def _wait_for_lease(self, deadline: float) -> str | None:
        """Wait until another process releases the lease, or a deadline (event loop time).

        The blob is read before the lease is acquired, so that it says how the last lease ended.

        Raises:
            ConversationBusy: another process still had it then.
        """
        for attempt in itertools.count(1):
            pause = BACKOFF.pause(attempt)
            if asyncio.get_running_loop().time() + pause >= deadline:
                break
            await asyncio.sleep(pause)
            blob = await self.read()
            if blob is not None and blob.is_leased:
                continue
            with suppress(BlobLeased):
                return await self._acquire()
        raise ConversationBusy("another turn of the conversation is running in another process")

    async def _create(self) -> None:
        """Create and lease the blob, if no other process does."""
        lease = self._new_lease()
        try:
            etag = await self._blobs.write(self.name, EMPTY_STATE, None)
            self.note(Blob(EMPTY_STATE, etag, {}))
            if await lease.acquire() is not None:
                self._lease = lease
        except (BlobChanged, BlobLeased):
            log.info("Another process runs a first turn of the same conversation")
        except StorageUnavailable as error:
            log.warning("A new conversation could not be leased: %s", error)

    def _new_lease(self) -> "_BlobLease":
        return _BlobLease(self._blobs, self.name, self._renewal_seconds)

    async def _read(self, meanwhile: Callable[[], Awaitable[object]] | None) -> None:
        if meanwhile is None:
            await self.read()
        else:
            await asyncio.gather(self.read(), meanwhile())


OPENING_SHARE = 0.2
"""The share of RENEWAL_SECONDS after which a lease is open: for a second, only its process can
write."""


def open_lease_id(name: str) -> str:
    """The id of a blob's lease once it is open: everybody who can write the blob knows it.

    Args:
        name: the blob's name.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


class _BlobLease:
    """The lease of a conversation's blob, renewed in the background until it is released.

    A turn may take long, and invokes and a skill's replies in other processes do not wait for it.
    So that they can write the blob, the lease gets a well-known id after a while: it is open.

    Args:
        blobs: the container of the leased blob.
        name: the blob's name.
        renewal_seconds: the time between two renewals.

    Attributes:
        is_open: other processes can write the blob.
    """

    def __init__(self, blobs: Container, name: str, renewal_seconds: float) -> None:
        self._blobs = blobs
        self._name = name
        self._renewal_seconds = renewal_seconds
        self._id = str(uuid.uuid4())
        self._loop = asyncio.get_running_loop()
        self._acquired_at = self._renewed_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._acquiring: asyncio.Task[str | None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._is_taken = False
        self.is_open = False

    async def acquire(self, reading: Awaitable[object] | None = None) -> str | None:
        """Acquire it, and await what is read at the same time.

        If that fails, or the turn is cancelled, it may be acquired all the same: `release` it.

        Returns:
            The blob's ETag; None if the blob does not exist.

        Raises:
            BlobLeased: another process has it.
            StorageUnavailable: the account does not answer, or refuses access.
        """
        self._acquiring = asyncio.create_task(self._acquire())
        if reading is not None:
            await reading
        return await asyncio.shield(self._acquiring)

    async def _acquire(self) -> str | None:
        etag = await self._blobs.acquire_lease(self._name, self._id)
        if etag is not None:
            self._set_timer(self._renewal_seconds * OPENING_SHARE)
        return etag

    @property
    def age(self) -> float:
        """Seconds since it was acquired."""
        return self._loop.time() - self._acquired_at

    @property
    def lost(self) -> bool:
        """Whether another process has it, or may have it since this one was paused."""
        return self._is_taken or self._loop.time() >= self._renewed_at + LEASE_SECONDS

    async def release(self) -> None:
        """Release it, unless it was not acquired; if storage is unavailable, it expires."""
        if self._acquiring is not None:
            await asyncio.wait({self._acquiring})
            if self._acquiring.exception() or self._acquiring.result() is None:
                return
        if self._renewing is not None:
            await asyncio.wait({self._renewing})  # cut off, it may leave the lease with either id
        if self._timer is not None:
            self._timer.cancel()
        if self.is_open and self.lost:
            self._blobs.forget_lease(self._name, self._id)  # another process's may have this id
            return
        try:
            await self._blobs.release_lease(self._name, self._id)
        except StorageUnavailable as error:
            log.warning(
                "A conversation's lease was not released, so its next turn waits up to %d s: %s",
                LEASE_SECONDS,
                error,
            )

    def _set_timer(self, seconds: float) -> None:
        # Not a task that sleeps: most turns end before.
        self._timer = self._loop.call_later(seconds, self._start_renewal)

    def _start_renewal(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            if not await self._open_and_renew():
                # The state is safe: conditional writes do not overwrite the other process's.
                self._is_taken = True
                log.warning("A conversation's lease was lost: it was not renewed in time")
                return
        except StorageUnavailable as error:
            log.warning("A conversation's lease could not be renewed: %s", error)
        self._set_timer(self._renewal_seconds)

    async def _open_and_renew(self) -> bool:
        if self.lost:
            return False
        if not self.is_open:
            new_id = open_lease_id(self._name)
            if not await self._blobs.change_lease(self._name, self._id, new_id):
                return False
            self._id, self.is_open = new_id, True
        sent_at = self._loop.time()
        if not await self._blobs.renew_lease(self._name, self._id):
            return False
        self._renewed_at = sent_at
        return True
