"""ConversationRecord: what is kept of a conversation, so that the bot can speak there unasked."""

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
"""Teams: what follows names one thread of a channel. Messages there have it in their
conversation's id; without it the id is the channel's, and what is sent begins a thread."""


@dataclass(frozen=True)
class ConversationRecord:
    """A conversation.

    Attributes:
        reference: ConversationReference, without an activity's id. It names a user in a personal
            conversation only: elsewhere it would be another one after each message.
        kind: `personal`, `groupChat`, `channel` or what else the channel says; empty: it does not.
        tenant: GUID; empty where there is none, or the channel does not vouch for it.
    """

    reference: Any
    kind: str
    tenant: str

    @classmethod
    def of(cls, activity: Activity) -> "ConversationRecord":
        """The conversation of an activity that was delivered."""
        reference = TurnContext.get_conversation_reference(activity)
        reference.activity_id = None
        reference.conversation.id = whole_conversation(activity)
        if not is_personal(activity):
            reference.user = reference.locale = None
        elif reference.user and reference.user.id == activity.recipient.id:
            reference.user = None  # some channels' updates come from the bot itself
        kind = activity.conversation.conversation_type or ""
        return cls(reference, kind, the_tenant(activity))

    @classmethod
    def parse(cls, content: bytes) -> "ConversationRecord":
        """The conversation that a blob holds.

        Raises:
            ValueError: it holds none.
        """
        match json.loads(content):
            case {"reference": dict(data), "type": str(kind), "tenant": str(tenant)}:
                reference = read_model(ConversationReference, data)
                # Earlier versions also stored tenants that users had only claimed.
                vouched = vouches_for_users(reference.channel_id)
                return cls(reference, kind, tenant if vouched else "")
        raise ValueError("it is no conversation")

    @property
    def content(self) -> bytes:
        """The blob."""
        reference = write_value(self.reference)
        kept = {"reference": reference, "type": self.kind, "tenant": self.tenant}
        return json.dumps(kept, sort_keys=True).encode()

    @property
    def id(self) -> str:
        """The channel's id and the conversation's, with a slash between: there may be two with
        the same id on two channels."""
        return f"{self.reference.channel_id}/{self.reference.conversation.id}"


def whole_conversation(activity: Activity) -> str:
    """The id of the conversation, of which an activity's may be one thread."""
    conversation: str = activity.conversation.id
    return conversation.partition(_THREAD_MARK)[0]


def is_personal(activity: Activity) -> bool:
    """Its conversation is one of the bot and one user, as far as the channel says."""
    kind, is_group = activity.conversation.conversation_type, activity.conversation.is_group
    return bool(kind == PERSONAL or not (kind or is_group))


def the_tenant(activity: Activity) -> str:
    """The tenant of an activity; empty where none is known."""
    return min(tenant_ids(activity), default="")
