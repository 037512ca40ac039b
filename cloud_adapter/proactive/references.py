"""ConversationReferences: where proactive messages can go, in one blob for each record.

    conversations/CHANNEL/CONVERSATION     a ConversationRecord
    users/CHANNEL/USER                     a UserRecord, by the channel's id and by Entra's

CHANNEL/CONVERSATION and CHANNEL/USER are each encoded as one `name_part`. Users are stored and
looked up only where the channel vouches for them (activities.py). The middleware here stores them.
"""

import asyncio
import dataclasses
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, DeliveryModes

from cloud_adapter.activities import CHANNELS, is_from_bot, tenant_ids, vouches_for_users
from cloud_adapter.deadlines import START_SECONDS, StartLimit, arrival
from cloud_adapter.errors import BlobChanged, StorageUnavailable
from cloud_adapter.proactive.records import (
    ConversationRecord,
    UserRecord,
    id_without_thread,
    is_personal,
    users_of,
)
from cloud_adapter.storage.blobs import Container, name_part

log = logging.getLogger(__name__)

CONTAINER = "bot-references"

MAX_WRITES = 5
"""Attempts to update a blob that other processes change at the same time."""

_CONVERSATIONS, _USERS = "conversations/", "users/"
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Record = ConversationRecord | UserRecord
type Parse[Item] = Callable[[bytes], Item]


class ConversationReferences:
    """Stores and finds records. Each method raises StorageUnavailable.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: Container) -> None:
        self._blobs = blobs

    async def store(self, activity: Activity) -> None:
        """Store the conversation of an activity, and the users whom it shows.

        A record that has not changed is not written again.

        Args:
            activity: as delivered by an authorized caller, since its service URL is stored.
        """
        await asyncio.gather(
            self._store_conversation(ConversationRecord.of(activity)),
            *(self._store_user(user) for user in users_of(activity)),
        )

    async def remove(self, activity: Activity) -> None:
        """Remove the conversation of an activity, which says that the bot was removed there."""
        conversation = f"{activity.channel_id}/{id_without_thread(activity)}"
        await self._blobs.delete(conversation_blob(conversation))
        if is_personal(activity):
            await asyncio.gather(*(self._remove_personal(each) for each in users_of(activity)))

    async def store_created(self, user: UserRecord, conversation: str) -> ConversationRecord:
        """Store the personal conversation that the bot has just created with a user.

        Args:
            user: as stored.
            conversation: the new conversation's id.
        """
        user = dataclasses.replace(user, conversation=conversation)
        await asyncio.gather(self._store_conversation(user.personal), self._store_user(user))
        return user.personal

    async def conversation(self, recipient: str) -> ConversationReference | None:
        """A conversation to write to with the adapter's `continue_conversation`.

        Args:
            recipient: see `find`.

        Returns:
            None if the id is not known, or if the bot has no personal conversation with the user
            yet. (A notification would create one.)
        """
        record = await self.find(recipient)
        if isinstance(record, UserRecord):
            record = record.personal if record.conversation else None
        return record.reference if record else None

    async def conversations(self, channel: str = "") -> AsyncIterator[ConversationReference]:
        """All conversations of the bot.

        Args:
            channel: only those of this channel; empty: of every channel.
        """
        async for name in self.names(channel):
            if record := await self.read(name):
                yield record.reference

    async def names(self, channel: str = "") -> AsyncIterator[str]:
        """The names of the conversations' blobs.

        Args:
            channel: only conversations of this channel; empty: of every channel.
        """
        prefix = conversation_blob(f"{channel}/") if channel else _CONVERSATIONS
        async for entry in self._blobs.list(prefix):
            yield entry.name

    async def read(self, name: str) -> ConversationRecord | None:
        """The conversation in a blob; None when there is no such blob."""
        return await self._read(name, ConversationRecord.parse)

    async def find(self, recipient: str) -> Record | None:
        """The conversation or the user with an id; None when the id is not known.

        Args:
            recipient: a conversation's id; where the channel vouches for its users, also a user's
                id or Entra object id. CHANNEL/ID when two channels use the same id.
        """
        channel, slash, rest = recipient.partition("/")
        if slash and channel in CHANNELS:
            return await self._find_in(channel, rest)
        for each in CHANNELS:
            if found := await self._find_in(each, recipient):
                return found
        return None

    async def _find_in(self, channel: str, sought: str) -> Record | None:
        conversation = self.read(conversation_blob(f"{channel}/{sought}"))
        if not vouches_for_users(channel):
            return await conversation
        user = sought.lower() if _GUID.fullmatch(sought) else sought
        found = await asyncio.gather(
            conversation, self._read(_user_blob(f"{channel}/{user}"), UserRecord.parse)
        )
        return found[0] or found[1]

    async def _store_conversation(self, new: ConversationRecord) -> None:
        def merge(old: ConversationRecord | None) -> bytes:
            reference = new.reference
            if old and not reference.user:  # this activity shows the bot only
                reference.user = old.reference.user
            if old and not reference.locale:
                reference.locale = old.reference.locale
            return new.content

        await self._update(conversation_blob(new.id), ConversationRecord.parse, merge)

    async def _store_user(self, new: UserRecord) -> None:
        def merge(old: UserRecord | None) -> bytes:
            conversation = new.conversation or (old.conversation if old else "")
            return dataclasses.replace(new, conversation=conversation).content

        await self._update_user(new, merge)

    async def _remove_personal(self, user: UserRecord) -> None:
        without = dataclasses.replace(user, conversation="").content
        await self._update_user(user, lambda _: without)

    async def _update_user(
        self, user: UserRecord, merge: Callable[[UserRecord | None], bytes]
    ) -> None:
        names = map(_user_blob, user.ids)
        await asyncio.gather(*(self._update(name, UserRecord.parse, merge) for name in names))

    async def _update[Item](
        self, name: str, parse: Parse[Item], merge: Callable[[Item | None], bytes]
    ) -> None:
        for _ in range(MAX_WRITES):
            blob = await self._blobs.read(name)
            content = merge(parse(blob.content) if blob else None)
            if blob and blob.content == content:
                return
            try:
                await self._blobs.write(name, content, blob.etag if blob else None)
            except BlobChanged:
                continue
            return
        raise StorageUnavailable("other processes keep changing a conversation reference")

    async def _read[Item](self, name: str, parse: Parse[Item]) -> Item | None:
        blob = await self._blobs.read(name)
        return parse(blob.content) if blob else None


def conversation_blob(conversation: str) -> str:
    """The name of a conversation's blob.

    Args:
        conversation: CHANNEL/CONVERSATION, as `ConversationRecord.id`.
    """
    return _CONVERSATIONS + name_part(conversation)


def channel_of(blob: str) -> str:
    """The channel of a conversation's blob."""
    return blob.removeprefix(_CONVERSATIONS).partition(name_part("/"))[0]


def _user_blob(user: str) -> str:
    return _USERS + name_part(user)


MAX_CACHED = 20_000
"""Pairs of user and conversation that are known to be stored, of some 100 bytes each."""

_UPDATES = {ActivityTypes.installation_update, ActivityTypes.conversation_update}


class ConversationReferenceMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Stores the conversation and the users of each activity that a channel delivers.

    It runs after the caller was authorized, so every service URL that it stores is one that the bot
    may call. A message causes storage calls only when it shows something new. Updates (the bot or a
    user was added or removed) are rare and always compared with storage: another process may have
    handled a removal that this one does not know of.

    Args:
        references: the store.
        max_cached: pairs of user and conversation that are remembered as stored.
    """

    def __init__(self, references: ConversationReferences, max_cached: int = MAX_CACHED) -> None:
        self._references = references
        self._max_cached = max_cached
        self._stored: dict[int, int] = {}
        self._storing: set[asyncio.Task[None]] = set()

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and store what its activity shows.

        Raises:
            StorageUnavailable, StartTimedOut: an update cannot be stored, or not in time; the
                channel must deliver it again.
        """
        activity = context.activity
        names_bot = activity.recipient is not None and activity.recipient.id
        # A parent bot may name any user of any channel, and a skill can write only through it.
        if not names_bot or is_from_bot(activity) or _expects_replies(activity):
            await logic()
        elif activity.type in _UPDATES:
            with StartLimit(arrival(context), "storing an update in the storage account"):
                await self._store_update(activity)
            await logic()
        elif activity.type == ActivityTypes.message and self._is_new(activity):
            await self._store_during(context, logic)
        else:
            await logic()

    async def _store_update(self, activity: Activity) -> None:
        if _removes_bot(activity):
            self._stored.clear()  # rare; the next messages fill it again
            await self._references.remove(activity)
        else:
            await self._references.store(activity)
            self._remember(activity)

    async def _store_during(
        self, context: TurnContext, logic: Callable[[], Awaitable[None]]
    ) -> None:
        """Store during the turn: the user waits for no storage call, and notices no outage.

        If it takes longer than the channel waits, it goes on behind the answer.
        """
        activity, arrived_at = context.activity, arrival(context)
        self._remember(activity)  # before it is true, so that messages sent at once are not stored
        storing = asyncio.create_task(self._store(activity))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        try:
            await logic()
        finally:
            left = None
            if arrived_at is not None:
                left = max(0, arrived_at + START_SECONDS - asyncio.get_running_loop().time())
            await asyncio.wait({storing}, timeout=left)

    async def _store(self, activity: Activity) -> None:
        try:
            await self._references.store(activity)
        except StorageUnavailable as error:
            self._stored.pop(_key(activity), None)
            log.warning(
                "A conversation reference is not stored; its next message tries again: %s", error
            )

    def _is_new(self, activity: Activity) -> bool:
        return self._stored.get(_key(activity)) != _fingerprint(activity)

    def _remember(self, activity: Activity) -> None:
        if len(self._stored) >= self._max_cached:
            del self._stored[next(iter(self._stored))]  # the oldest
        self._stored[_key(activity)] = _fingerprint(activity)


def _expects_replies(activity: Activity) -> bool:
    return bool(activity.delivery_mode == DeliveryModes.expect_replies)


def _removes_bot(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "remove")
    bot = activity.recipient.id
    return any(each is not None and each.id == bot for each in activity.members_removed or ())


def _key(activity: Activity) -> int:
    """Identifies a user in a conversation."""
    user = activity.from_property
    return hash((activity.channel_id, activity.conversation.id, user.id if user else None))


def _fingerprint(activity: Activity) -> int:
    """Changes whenever the records of the activity would."""
    conversation = activity.conversation
    return hash(
        (
            activity.service_url,
            activity.locale,
            conversation.conversation_type,
            conversation.is_group,
            conversation.name,
            tenant_ids(activity),
            _account(activity.from_property),
            _account(activity.recipient),
        )
    )


def _account(account: Any) -> tuple[str, ...] | None:
    return account and (account.id, account.name, account.role, account.aad_object_id)
