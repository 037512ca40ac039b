"""ConversationRecord: what is stored of a conversation, so that the bot can write to it later."""

import json
from dataclasses import dataclass
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ConversationReference

from cloud_adapter.codec.channels import tenant_ids, vouches_for_users
from cloud_adapter.codec.reader import read_model
from cloud_adapter.codec.writer import write_value

PERSONAL = "personal"

_THREAD_MARK = ";messageid="
"""In Teams, a message in a channel has the conversation id CHANNEL;messageid=THREAD. A message that
is sent to the id without the thread starts a new thread."""


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
        return cls(reference, kind, tenant_of(activity))

    @classmethod
    def parse(cls, content: bytes) -> "ConversationRecord":
        """Read a blob.

        Raises:
            ValueError: it is not a conversation record.
        """
        match json.loads(content):
            case {"reference": dict(data), "type": str(kind), "tenant": str(tenant)}:
                reference = read_model(ConversationReference, data)
                # Earlier versions also stored tenants that a client had only claimed.
                vouched = vouches_for_users(reference.channel_id)
                return cls(reference, kind, tenant if vouched else "")
        raise ValueError("not a conversation record")

    @property
    def content(self) -> bytes:
        """The blob's content."""
        data = {"reference": write_value(self.reference), "type": self.kind, "tenant": self.tenant}
        return json.dumps(data, sort_keys=True).encode()

    @property
    def id(self) -> str:
        """CHANNEL/CONVERSATION: two channels may use the same conversation id."""
        return f"{self.reference.channel_id}/{self.reference.conversation.id}"


def id_without_thread(activity: Activity) -> str:
    """The id of the activity's conversation; in a Teams channel, of the channel."""
    conversation: str = activity.conversation.id
    return conversation.partition(_THREAD_MARK)[0]


def is_personal(activity: Activity) -> bool:
    """Whether the conversation is between the bot and one user, as far as the channel says."""
    kind, is_group = activity.conversation.conversation_type, activity.conversation.is_group
    return bool(kind == PERSONAL or not (kind or is_group))


def tenant_of(activity: Activity) -> str:
    """The activity's tenant (GUID); empty when none is known."""
    return min(tenant_ids(activity), default="")
