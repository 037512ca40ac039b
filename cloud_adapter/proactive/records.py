"""Records of conversations and of users, so that the bot can write to them later."""

import json
from dataclasses import dataclass
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)

from cloud_adapter.activities import tenant_ids, vouches_for_users
from cloud_adapter.codec import read_model, write_value
from cloud_adapter.errors import UnknownFormat
from cloud_adapter.storage.format_version import FORMAT_VERSION, VERSION_KEY, check_version

PERSONAL = "personal"

_STORED = "a stored reference to a conversation or a user"

_THREAD_MARK = ";messageid="
"""In Teams, a message in a channel has the conversation id CHANNEL;messageid=THREAD. A message that
is sent to the id without the thread starts a new thread."""

MAX_JOINED = 10
"""Users who are stored when they join in one activity: each takes a few storage calls. The others
are stored when they write."""


@dataclass(frozen=True)
class ConversationRecord:
    """A conversation.

    Attributes:
        reference: ConversationReference, without an activity id. It names a user in a personal
            conversation only: elsewhere each message would change it.
        kind: `personal`, `groupChat`, `channel` or another type that the channel names; empty when
            it names none.
        tenant: GUID; empty when there is none, or the channel does not vouch for it.
    """

    reference: Any
    kind: str
    tenant: str

    @classmethod
    def of(cls, activity: Activity) -> "ConversationRecord":
        """The conversation of an activity, as delivered."""
        reference = TurnContext.get_conversation_reference(activity)
        reference.activity_id = None
        reference.conversation.id = id_without_thread(activity)
        if not is_personal(activity):
            reference.user = reference.locale = None
        elif reference.user and reference.user.id == activity.recipient.id:
            reference.user = None  # some channels send updates in the bot's own name
        kind = activity.conversation.conversation_type or ""
        return cls(reference, kind, _tenant_of(activity))

    @classmethod
    def parse(cls, content: bytes) -> "ConversationRecord":
        """Read a blob.

        Raises:
            UnknownFormat: it is not a conversation record of this format version.
        """
        match _data(content):
            case {"reference": dict(data), "type": str(kind), "tenant": str(tenant)}:
                reference = read_model(ConversationReference, data)
                return cls(reference, kind, tenant)
        raise UnknownFormat(f"{_STORED} is not a conversation record")

    @property
    def content(self) -> bytes:
        """The blob's content."""
        data = {
            "reference": write_value(self.reference),
            "type": self.kind,
            "tenant": self.tenant,
            VERSION_KEY: FORMAT_VERSION,
        }
        return json.dumps(data, sort_keys=True).encode()

    @property
    def id(self) -> str:
        """CHANNEL/CONVERSATION: two channels may use the same conversation id."""
        return f"{self.reference.channel_id}/{self.reference.conversation.id}"


@dataclass(frozen=True)
class UserRecord:
    """A user of a channel that vouches for its users.

    Attributes:
        user: ChannelAccount of the user.
        bot: ChannelAccount of the bot in this channel.
        channel_id: the channel.
        service_url: the channel's service URL in the user's last activity.
        tenant: GUID; empty when there is none.
        conversation: id of the personal conversation; empty when it is not known.
    """

    user: Any
    bot: Any
    channel_id: str
    service_url: str
    tenant: str
    conversation: str = ""

    @classmethod
    def parse(cls, content: bytes) -> "UserRecord":
        """Read a blob.

        Raises:
            UnknownFormat: it is not a user record of this format version.
        """
        match _data(content):
            case {
                "user": dict(user),
                "bot": dict(bot),
                "channelId": str(channel_id),
                "serviceUrl": str(service_url),
                "tenant": str(tenant),
                "conversation": str(conversation),
            }:
                accounts = read_model(ChannelAccount, user), read_model(ChannelAccount, bot)
                return cls(*accounts, channel_id, service_url, tenant, conversation)
        raise UnknownFormat(f"{_STORED} is not a user record")

    @property
    def content(self) -> bytes:
        """The blob's content."""
        data = {
            "user": write_value(self.user),
            "bot": write_value(self.bot),
            "channelId": self.channel_id,
            "serviceUrl": self.service_url,
            "tenant": self.tenant,
            "conversation": self.conversation,
            VERSION_KEY: FORMAT_VERSION,
        }
        return json.dumps(data, sort_keys=True).encode()

    @property
    def ids(self) -> tuple[str, ...]:
        """CHANNEL/ID for each id that the user can be found by: the channel's, and the Entra
        object id in lower case when it is known."""
        ids = (self.user.id, (self.user.aad_object_id or "").lower())
        return tuple(f"{self.channel_id}/{each}" for each in ids if each)

    @property
    def personal(self) -> ConversationRecord:
        """The personal conversation; only when its id is known."""
        tenant = {"tenantId": self.tenant} if self.tenant else {}
        reference = ConversationReference(
            user=self.user,
            bot=self.bot,
            conversation=ConversationAccount(
                id=self.conversation, conversation_type=PERSONAL, additional_properties=tenant
            ),
            channel_id=self.channel_id,
            service_url=self.service_url,
        )
        return ConversationRecord(reference, PERSONAL, self.tenant)


def _data(content: bytes) -> Any:
    try:
        data = json.loads(content)
    except ValueError:
        data = None
    check_version(_STORED, data.get(VERSION_KEY) if isinstance(data, dict) else None)
    return data


def users_of(activity: Activity) -> list[UserRecord]:
    """The users whom an activity shows: its sender and those who joined, without the bot.

    Empty when the channel does not vouch for its users.
    """
    if not vouches_for_users(activity.channel_id):
        return []
    bot = activity.recipient
    joined = (
        activity.members_added or [] if activity.type == ActivityTypes.conversation_update else []
    )[:MAX_JOINED]
    accounts = {each.id: each for each in (activity.from_property, *joined) if _is_user(each, bot)}
    conversation = id_without_thread(activity) if is_personal(activity) else ""
    return [
        UserRecord(
            account,
            bot,
            activity.channel_id,
            activity.service_url,
            _tenant_of(activity),
            conversation,
        )
        for account in accounts.values()
    ]


def _is_user(account: Any, bot: Any) -> bool:
    if account is None or not account.id or account.role not in (None, "", "user"):
        return False
    return bool(account.id != bot.id)


def id_without_thread(activity: Activity) -> str:
    """The id of the activity's conversation; in a Teams channel, of the channel."""
    conversation: str = activity.conversation.id
    return conversation.partition(_THREAD_MARK)[0]


def is_personal(activity: Activity) -> bool:
    """Whether the conversation is between the bot and one user, as far as the channel says."""
    kind, is_group = activity.conversation.conversation_type, activity.conversation.is_group
    return bool(kind == PERSONAL or not (kind or is_group))


def _tenant_of(activity: Activity) -> str:
    """The activity's tenant (GUID); empty when none is known."""
    return min(tenant_ids(activity), default="")
