"""Card actions: shows the bot's response to an `adaptiveCard/action` invoke.

Rule: Microsoft reference "Universal Actions for Adaptive Cards", response format of the invoke.
"""

import json
from typing import Any

from bot_workbench.emulator.channel.conversations import Account, Activity, Conversation

CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE = "application/vnd.microsoft.activity.message"
ERROR = "application/vnd.microsoft.error"


def show_result(conversation: Conversation, invoke: Activity, body: bytes, bot: Account) -> None:
    """Replace the card that was acted on, or add the bot's message, as the response says.

    Args:
        conversation: where the card is.
        invoke: the activity that was delivered; its `replyToId` is the card's message.
        body: the bot's response; one of another form shows nothing.
        bot: the account that the result is from.
    """
    result = _parsed(body)
    kind, value = result.get("type"), result.get("value")
    if kind == CARD and isinstance(value, dict):
        _show_card(conversation, invoke.get("replyToId"), value, bot)
    elif kind == MESSAGE and isinstance(value, str):
        conversation.add({"type": "message", "from": bot, "text": value})
    elif kind == ERROR and isinstance(value, dict):
        text = f"The action failed: {value.get('message') or value.get('code')}"
        conversation.add({"type": "message", "from": bot, "text": text})


def _show_card(
    conversation: Conversation, source_id: object, card: dict[str, Any], bot: Account
) -> None:
    attachments = [{"contentType": CARD, "content": card}]
    if isinstance(source_id, str) and conversation.has(source_id):
        source = conversation.find(source_id)
        conversation.update(source_id, {**source, "attachments": attachments})
    else:
        conversation.add({"type": "message", "from": bot, "attachments": attachments})


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        result = json.loads(body)
    except ValueError:
        return {}
    return result if isinstance(result, dict) else {}
