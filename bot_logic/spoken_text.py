"""The text of a message, without the mention of the bot that messages in groups start with."""

from collections.abc import Iterator

from botbuilder.schema import Activity

MAX_MENTIONS = 8
"""The most distinct mention texts that are removed from one message; others stay in the text."""


def spoken_text(activity: Activity) -> str:
    """The text of a message, without mentions of the bot; empty if there is none.

    Teams puts `<at>Bot</at>` into the text, and adds an entity of type `mention`.
    """
    text: str = activity.text or ""
    # Distinct and not too many, because each mention costs a search through the whole text.
    for mention in list(dict.fromkeys(_mentions(activity)))[:MAX_MENTIONS]:
        text = text.replace(mention, "")
    return text.strip()


def _mentions(activity: Activity) -> Iterator[str]:
    """The text of each mention of the bot in a message."""
    bot_id = activity.recipient.id if activity.recipient else None
    for entity in activity.entities or []:
        mention = entity.additional_properties if entity else {}
        mentioned = mention.get("mentioned")
        text = mention.get("text")
        if isinstance(mentioned, dict) and isinstance(text, str) and mentioned.get("id") == bot_id:
            yield text
