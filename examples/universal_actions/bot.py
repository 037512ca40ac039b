"""PollBot: a poll in an Adaptive Card."""

from typing import Any

from botbuilder.core import (
    ActivityHandler,
    CardFactory,
    ConversationState,
    MessageFactory,
    TurnContext,
)
from botbuilder.schema import AdaptiveCardInvokeResponse, AdaptiveCardInvokeValue

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"
CHOICES = ("Yes", "No")


class PollBot(ActivityHandler):
    """Asks a question; every vote and every refresh returns the card with the count so far.

    Args:
        conversation_state: stores each user's vote.
    """

    def __init__(self, conversation_state: ConversationState) -> None:
        super().__init__()
        self._votes = conversation_state.create_property("votes")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Start a poll with the message as its question."""
        await self._votes.set(turn_context, {})
        card = poll(turn_context.activity.text, {}, turn_context.activity.from_property.id)
        await turn_context.send_activity(MessageFactory.attachment(CardFactory.adaptive_card(card)))

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        """Count a vote, or refresh: the answer replaces the card."""
        action: Any = invoke_value.action  # the SDK passes the JSON
        user, data = turn_context.activity.from_property.id, action.get("data") or {}
        votes: dict[str, str] = await self._votes.get(turn_context, dict)
        if action.get("verb") == "vote" and data.get("choice") in CHOICES:
            votes[user] = data["choice"]
        card = poll(str(data.get("question")), votes, user)
        return AdaptiveCardInvokeResponse(status_code=200, type=ADAPTIVE_CARD, value=card)


def poll(question: str, votes: dict[str, str], user: str) -> dict[str, Any]:
    """The card, which refreshes itself when the user looks at it.

    Args:
        question: the question.
        votes: the choice of each user who has voted.
        user: the id of the user who gets the card.
    """
    counts = [f"{each}: {list(votes.values()).count(each)}" for each in CHOICES]
    return {
        "type": "AdaptiveCard",
        "version": "1.5",
        "refresh": {"action": execute("Refresh", "refresh", question), "userIds": [user]},
        "body": [{"type": "TextBlock", "text": text} for text in (question, ", ".join(counts))],
        "actions": [execute(each, "vote", question, choice=each) for each in CHOICES],
    }


def execute(title: str, verb: str, question: str, choice: str = "") -> dict[str, Any]:
    """An Action.Execute. Pressing it sends the bot an invoke."""
    data = {"question": question, "choice": choice}
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": data}
