"""The bot's cards: Adaptive Cards (https://adaptivecards.io, version 1.5) and a sign-in card."""

from typing import Any

from botbuilder.core import CardFactory
from botbuilder.schema import ActionTypes, Attachment, CardAction, OAuthCard

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"

COLOR = "color"
"""The id of the input, which is also the key of its value in the data that the card sends."""


def pick_a_color() -> Attachment:
    """A card that asks for a color, with an Action.Submit and an Action.Execute."""
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


def thank_you(color: str) -> dict[str, Any]:
    """The card that replaces the card of `pick_a_color` after its Action.Execute."""
    return _card(
        [
            {"type": "TextBlock", "size": "Large", "weight": "Bolder", "text": "Thank you"},
            {"type": "TextBlock", "text": f"You picked {color}.", "wrap": True},
        ],
        [],
    )


def sign_in(connection: str, resource: Any) -> Attachment:
    """A card with a button that leads to the sign-in page.

    Args:
        connection: the name of the OAuth connection.
        resource: the SignInUrlResponse from the token service. Channels with single sign-on use its
            token exchange resource to sign the user in without showing the card.
    """
    button = CardAction(type=ActionTypes.signin, title="Sign in", value=resource.sign_in_link)
    card = OAuthCard(
        text="Please sign in.",
        connection_name=connection,
        buttons=[button],
        token_exchange_resource=resource.token_exchange_resource,
        token_post_resource=resource.token_post_resource,
    )
    return CardFactory.oauth_card(card)


def _card(body: list[dict[str, Any]], actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": body,
        "actions": actions,
    }
