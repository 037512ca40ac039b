"""ConversationReferences: where proactive messages can go, in one blob for each record.

    conversations/CHANNEL/CONVERSATION     a ConversationRecord
    users/CHANNEL/USER                     a UserRecord, by the channel's id and by Entra's

CHANNEL/CONVERSATION and CHANNEL/USER are each encoded as one `name_part`. Users are stored and
looked up only where the channel vouches for them (channels.py). Earlier versions also wrote blobs
for users of other channels; these are never read.
"""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Callable

from botbuilder.schema import Activity, ConversationReference

from cloud_adapter.codec.channels import CHANNELS, vouches_for_users
from cloud_adapter.errors import BlobChanged, StorageUnavailable
from cloud_adapter.proactive.records import (
    ConversationRecord,
    UserRecord,
    id_without_thread,
    is_personal,
    users_of,
)
from cloud_adapter.storage.blobs import Container, name_part

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
        """The conversation in a blob; None when there is no such blob, or it is not a record."""
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
            content = merge(_parsed(blob.content, parse) if blob else None)
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
        return _parsed(blob.content, parse) if blob else None


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


def _parsed[Item](content: bytes, parse: Parse[Item]) -> Item | None:
    """The record; None for anything else, which is then overwritten."""
    try:
        return parse(content)
    except ValueError:
        return None
