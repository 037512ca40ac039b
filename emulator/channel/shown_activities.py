"""Shown activities: a conversation as its user sees it."""

from emulator.channel.conversations import Activity, Conversation

HIDDEN = frozenset({"conversationUpdate", "invoke", "trace"})
"""Activity types that are kept but not shown, as on the live channel."""


def shown_since(conversation: Conversation, watermark: int) -> tuple[list[Activity], int]:
    """What the user sees of the changes after `watermark`, and the watermark reached."""
    changes = conversation.changes[watermark:]
    shown = [
        _without_unknown_reply(conversation, change)
        for change in changes
        if change["type"] not in HIDDEN
    ]
    return shown, watermark + len(changes)


def _without_unknown_reply(conversation: Conversation, activity: Activity) -> Activity:
    replied = activity.get("replyToId")
    if isinstance(replied, str) and conversation.has(replied):
        known = conversation.find(replied)["type"] not in HIDDEN
    else:
        known = False
    if known:
        return activity
    # Web Chat holds an activity back for seconds while it waits for the one it replies to.
    return {name: value for name, value in activity.items() if name != "replyToId"}
