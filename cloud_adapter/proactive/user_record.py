"""UserRecord: what is stored of a user, enough to start a personal conversation."""

import json
from dataclasses import dataclass
from typing import Any

from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)

from cloud_adapter.codec.channels import vouches_for_users
from cloud_adapter.codec.reader import read_model
from cloud_adapter.codec.writer import write_value
from cloud_adapter.proactive.conversation_record import (
    PERSONAL,
    ConversationRecord,
    id_without_thread,
    is_personal,
    tenant_of,
)

MAX_JOINED = 10
"""Users who are stored when they join in one activity: each takes a few storage calls. The others
are stored when they write."""


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
            ValueError: it is not a user record.
        """
        match json.loads(content):
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
        raise ValueError("not a user record")

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
            tenant_of(activity),
            conversation,
        )
        for account in accounts.values()
    ]


def _is_user(account: Any, bot: Any) -> bool:
    if account is None or not account.id or account.role not in (None, "", "user"):
        return False
    return bool(account.id != bot.id)
