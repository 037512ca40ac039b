"""ConversationReferences: where proactive messages can go, a blob for each conversation and user.

    conversations/CHANNEL/CONVERSATION     a ConversationRecord
    users/CHANNEL/USER                     a UserRecord, by the channel's id and by Entra's

The last two parts are encoded as one `name_part`. Users are stored and looked up only where the
channel vouches for them (channels.py): earlier versions also wrote blobs for users of other
channels, and these are never read.
"""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Callable

from botbuilder.schema import Activity

from cloud_adapter.codec.channels import CHANNELS, vouches_for_users
from cloud_adapter.errors import BlobChanged, StorageUnavailable
from cloud_adapter.proactive.conversation_record import (
    ConversationRecord,
    is_personal,
    whole_conversation,
)
from cloud_adapter.proactive.user_record import UserRecord, users_of
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import name_part

CONTAINER = "bot-references"

MOST_WRITES = 5
"""Attempts to write a blob, each on what another process has written meanwhile."""

_CONVERSATIONS, _USERS = "conversations/", "users/"
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Found = ConversationRecord | UserRecord


class ConversationReferences:
    """Each method raises StorageUnavailable when the account does not answer, or refuses.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: BlobContainer) -> None:
        self._blobs = blobs

    async def keep(self, activity: Activity) -> None:
        """Keep the conversation of an activity, and the users that it shows.

        What is there and the same is not written again.

        Args:
            activity: as delivered, its caller checked: the service URL is written down.
        """
        await asyncio.gather(
            self._keep_conversation(ConversationRecord.of(activity)),
            *(self._keep_user(user) for user in users_of(activity)),
        )

    async def forget(self, activity: Activity) -> None:
        """The bot was removed from the conversation of an activity."""
        gone = f"{activity.channel_id}/{whole_conversation(activity)}"
        await self._blobs.delete(conversation_blob(gone))
        if is_personal(activity):
            await asyncio.gather(*(self._forget_personal(each) for each in users_of(activity)))

    async def keep_created(self, user: UserRecord, conversation: str) -> ConversationRecord:
        """Keep the personal conversation that was begun with a user.

        Args:
            user: as kept.
            conversation: its id.
        """
        known = dataclasses.replace(user, conversation=conversation)
        await asyncio.gather(
            self._keep_conversation(known.personal),
            self._keep_user(known),
        )
        return known.personal

    async def names(self, channel: str = "") -> AsyncIterator[str]:
        """The names of the conversations' blobs.

        Args:
            channel: only this channel's conversations; empty: every channel's.
        """
        prefix = conversation_blob(f"{channel}/") if channel else _CONVERSATIONS
        async for entry in self._blobs.list(prefix):
            yield entry.name

    async def read(self, name: str) -> ConversationRecord | None:
        """The conversation in a blob; None when it is gone, or holds none."""
        return await self._read(name, ConversationRecord.parse)

    async def find(self, recipient: str) -> Found | None:
        """The conversation or the user with an id; None when the id is not known.

        Args:
            recipient: a conversation's id; where the channel vouches for its users, also a user's
                id or Entra object id. Where two channels have the same id, CHANNEL/ID.
        """
        channel, slash, rest = recipient.partition("/")
        if slash and channel in CHANNELS:
            return await self._find_there(channel, rest)
        for each in CHANNELS:
            if found := await self._find_there(each, recipient):
                return found
        return None

    async def _find_there(self, channel: str, sought: str) -> Found | None:
        conversation = self.read(conversation_blob(f"{channel}/{sought}"))
        if not vouches_for_users(channel):
            return await conversation
        user = sought.lower() if _GUID.fullmatch(sought) else sought
        found = await asyncio.gather(
            conversation, self._read(_user_blob(f"{channel}/{user}"), UserRecord.parse)
        )
        return found[0] or found[1]

    async def _keep_conversation(self, new: ConversationRecord) -> None:
        def merged(old: ConversationRecord | None) -> bytes:
            reference = new.reference
            if old and not reference.user:  # the bot alone was seen this time
                reference.user = old.reference.user
            if old and not reference.locale:
                reference.locale = old.reference.locale
            return new.content

        await self._put(conversation_blob(new.id), ConversationRecord.parse, merged)

    async def _keep_user(self, new: UserRecord) -> None:
        def merged(old: UserRecord | None) -> bytes:
            known = new.conversation or (old.conversation if old else "")
            return dataclasses.replace(new, conversation=known).content

        names = map(_user_blob, new.ids)
        await asyncio.gather(*(self._put(name, UserRecord.parse, merged) for name in names))

    async def _forget_personal(self, user: UserRecord) -> None:
        def merged(_: UserRecord | None) -> bytes:
            return dataclasses.replace(user, conversation="").content

        names = map(_user_blob, user.ids)
        await asyncio.gather(*(self._put(name, UserRecord.parse, merged) for name in names))

    async def _put[Kept](
        self, name: str, parse: Callable[[bytes], Kept], merged: Callable[[Kept | None], bytes]
    ) -> None:
        for _ in range(MOST_WRITES):
            blob = await self._blobs.read(name)
            content = merged(_parsed(blob.content, parse) if blob else None)
            if blob and blob.content == content:
                return
            try:
                await self._blobs.write(name, content, blob.etag if blob else None)
            except BlobChanged:
                continue
            return
        raise StorageUnavailable("other processes change a conversation's blob all the time")

    async def _read[Kept](self, name: str, parse: Callable[[bytes], Kept]) -> Kept | None:
        blob = await self._blobs.read(name)
        return _parsed(blob.content, parse) if blob else None


def conversation_blob(conversation: str) -> str:
    """The name of a conversation's blob.

    Args:
        conversation: see `ConversationRecord.id`.
    """
    return _CONVERSATIONS + name_part(conversation)


def channel_of(blob: str) -> str:
    """The channel of a conversation's blob."""
    return blob.removeprefix(_CONVERSATIONS).partition(name_part("/"))[0]


def _user_blob(user: str) -> str:
    return _USERS + name_part(user)


def _parsed[Kept](content: bytes, parse: Callable[[bytes], Kept]) -> Kept | None:
    """What somebody else has put there is nothing, and gets replaced."""
    try:
        return parse(content)
    except ValueError:
        return None
