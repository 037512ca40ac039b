"""The bot's Adaptive Cards (https://adaptivecards.io, schema version 1.5)."""

from typing import Any

from botbuilder.core import CardFactory
from botbuilder.schema import Attachment

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"

COLOR = "color"
"""The input's id: the key under which its value comes back."""


def choice() -> Attachment:
    """A question with an Action.Submit and an Action.Execute."""
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "size": "Large", "weight": "Bolder", "text": "Pick a color"},
        {
            "type": "Input.ChoiceSet",
            "id": COLOR,
            "label": "Color",
            "value": "blue",
            "choices": [
                {"title": "Blue", "value": "blue"},
                {"title": "Green", "value": "green"},
                {"title": "Orange", "value": "orange"},
            ],
        },
    ]
    actions: list[dict[str, Any]] = [
        {"type": "Action.Submit", "title": "Send as a message"},
        {"type": "Action.Execute", "title": "Update this card", "verb": "color"},
    ]
    return CardFactory.adaptive_card(_card(body, actions))


def done(color: str) -> dict[str, Any]:
    """What takes the question's place after its Action.Execute."""
    return _card(
        [
            {"type": "TextBlock", "size": "Large", "weight": "Bolder", "text": "Thank you"},
            {"type": "TextBlock", "text": f"You picked {color}.", "wrap": True},
        ],
        [],
    )


def _card(body: list[dict[str, Any]], actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": body,
        "actions": actions,
    }
