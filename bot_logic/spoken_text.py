"""What the user said, without the mention that called the bot in a group."""

from botbuilder.schema import Activity


def spoken_text(activity: Activity) -> str:
    """The text of a message, without mentions of the bot; empty when there is none.

    Teams puts `<at>Bot</at>` into the text, and an entity of type `mention` beside it.
    """
    text: str = activity.text or ""
    bot_id = activity.recipient.id if activity.recipient else None
    for entity in activity.entities or []:
        mention = entity.additional_properties if entity else {}
        mentioned = mention.get("mentioned")
        said = mention.get("text")
        if isinstance(mentioned, dict) and isinstance(said, str) and mentioned.get("id") == bot_id:
            text = text.replace(said, "")
    return text.strip()
