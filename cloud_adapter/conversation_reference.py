"""What a conversation reference takes from an activity, and gives to another.

`import_bot_sdk` replaces botbuilder's functions with these: botbuilder-python leaves the id of the
activity out where the SDKs for .NET and JavaScript keep it, and overwrites an activity's own
locale.

Source: botbuilder-dotnet, Activity.GetConversationReference and ApplyConversationReference;
botbuilder-js, TurnContext.getConversationReference and applyConversationReference.
"""

from typing import Any

from botbuilder.schema import Activity, ActivityTypes, ConversationReference
from botframework.connector import Channels

_HIDDEN_UPDATES = {Channels.direct_line, Channels.webchat}
"""The channels whose clients do not see a conversationUpdate, so nothing can reply to it."""


def is_replied_to(activity: Activity) -> bool:
    """Whether replies to an activity carry its id, as `replyToId` and in their URL."""
    return (
        activity.type != ActivityTypes.conversation_update
        or activity.channel_id not in _HIDDEN_UPDATES
    )


def conversation_reference(activity: Activity) -> ConversationReference:
    """The conversation of an activity, and the activity itself if replies carry its id."""
    return ConversationReference(
        activity_id=activity.id if is_replied_to(activity) else None,
        user=account_copy(activity.from_property),
        bot=account_copy(activity.recipient),
        conversation=account_copy(activity.conversation),
        channel_id=activity.channel_id,
        locale=activity.locale,
        service_url=activity.service_url,
    )


def apply_conversation_reference(
    activity: Activity, reference: ConversationReference, is_incoming: bool = False
) -> Activity:
    """Address an activity as part of a conversation, and return it.

    Args:
        activity: is changed; its own locale stays.
        reference: the conversation, and the activity that is replied to.
        is_incoming: whether the activity is from the user to the bot, with the reference's id.
    """
    activity.channel_id = reference.channel_id
    activity.service_url = reference.service_url
    activity.conversation = reference.conversation
    if activity.locale is None:
        activity.locale = reference.locale
    if is_incoming:
        activity.from_property, activity.recipient = reference.user, reference.bot
        activity.id = reference.activity_id or activity.id
    else:
        activity.from_property, activity.recipient = reference.bot, reference.user
        activity.reply_to_id = reference.activity_id or activity.reply_to_id
    return activity


def account_copy(account: Any) -> Any:
    """A shallow copy of an account, like `copy.copy`, but much faster."""
    if account is None:
        return None
    copied = account.__class__.__new__(account.__class__)
    copied.__dict__ = account.__dict__.copy()
    return copied
