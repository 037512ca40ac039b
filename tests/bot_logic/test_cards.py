"""The cards are Adaptive Cards that a client can show."""

import json

from bot_logic import cards


def test_the_question() -> None:
    """It has one input, under the key that the bot reads, and both kinds of button."""
    attachment = cards.pick_a_color().serialize()
    assert attachment["contentType"] == cards.CONTENT_TYPE
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    (choice,) = [part for part in card["body"] if part["type"] == "Input.ChoiceSet"]
    assert choice["id"] == cards.COLOR
    assert choice["value"] in [option["value"] for option in choice["choices"]]
    assert choice["label"]
    actions = [(action["type"], action.get("verb")) for action in card["actions"]]
    assert actions == [("Action.Submit", None), ("Action.Execute", "color")]
    assert json.loads(json.dumps(attachment)) == attachment


def test_the_thank_you_card() -> None:
    """It names the color, and has no buttons."""
    card = cards.thank_you("green")
    assert card["type"] == "AdaptiveCard"
    assert "You picked green." in [part["text"] for part in card["body"]]
    assert card["actions"] == []


def test_cards_share_nothing() -> None:
    """A change of one card does not change the next one."""
    first = cards.pick_a_color()
    first.content["body"].clear()
    assert cards.pick_a_color().content["body"]
