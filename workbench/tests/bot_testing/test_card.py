"""Button: what each kind of button sends."""

from typing import Any

import pytest

from bot_testing import ChatMistake, Reply
from bot_testing.activities.card import Button

ADAPTIVE = "application/vnd.microsoft.card.adaptive"
HERO = "application/vnd.microsoft.card.hero"


def only_button(content: dict[str, Any], kind: str = ADAPTIVE) -> Button:
    """The only button of a card."""
    attachment = {"contentType": kind, "content": content}
    [button] = Reply({"id": "1", "type": "message", "attachments": [attachment]}).buttons
    return button


def adaptive(action: dict[str, Any], *body: dict[str, Any]) -> Button:
    """The button of an Adaptive Card with this action."""
    return only_button({"body": list(body), "actions": [{"title": "Go", **action}]})


def hero(action: dict[str, Any]) -> Button:
    """The button of a hero card with this action."""
    return only_button({"buttons": [{"title": "Go", **action}]}, HERO)


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        ({"type": "imBack", "value": "hi"}, {"type": "message", "text": "hi"}),
        ({"type": "postBack", "value": "hi"}, {"type": "message", "text": "hi"}),
        ({"type": "postBack", "value": {"a": 1}}, {"type": "message", "value": {"a": 1}}),
        (
            {"type": "messageBack", "text": "hi", "value": {"a": 1}},
            {"type": "message", "text": "hi", "value": {"a": 1}},
        ),
        (
            {"type": "messageBack", "value": 1, "displayText": "Hi"},
            {
                "type": "message",
                "value": 1,
                "channelData": {"messageBack": {"displayText": "Hi"}},
            },
        ),
        (
            {"type": "messageBack", "displayText": "Hi"},
            {"type": "message", "channelData": {"messageBack": {"displayText": "Hi"}}},
        ),
        ({"type": "messageBack"}, {"type": "message"}),
        ({"type": "invoke", "value": '{"a": 1}'}, {"type": "invoke", "value": {"a": 1}}),
    ],
)
def test_card_actions(action: dict[str, Any], sent: dict[str, Any]) -> None:
    """Buttons of hero cards and their kind."""
    assert hero(action).activity("webchat", {}) == sent


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        ({"text": "hi", "displayText": "Hi"}, {"text": "hi"}),
        ({"displayText": "Hi"}, {}),
        ({"value": '{"a": 1}'}, {"value": {"a": 1}}),
        ({"value": "plain"}, {"value": "plain"}),
    ],
)
def test_a_message_back_in_teams(action: dict[str, Any], sent: dict[str, Any]) -> None:
    """Teams keeps displayText to itself, and sends JSON text as what it means."""
    button = hero({"type": "messageBack", **action})
    assert button.activity("msteams", {}) == {"type": "message", **sent}


def test_suggested_actions() -> None:
    """Suggested actions are buttons too."""
    actions = [
        {"type": "imBack", "title": "Yes", "value": "yes"},
        {"type": "messageBack", "title": "No", "displayText": "No, thanks"},
    ]
    reply = Reply({"id": "1", "type": "message", "suggestedActions": {"actions": actions}})
    assert reply.suggested_actions == ["Yes", "No"]
    assert [each.title for each in reply.buttons] == ["Yes", "No"]
    assert reply.buttons[0].activity("webchat", {}) == {"type": "message", "text": "yes"}


NAME = {"type": "Input.Text", "id": "name", "value": "Ada"}
SIZE = {"type": "Input.ChoiceSet", "id": "size"}
GIFT = {"type": "Input.Toggle", "id": "gift", "valueOn": "yes"}


@pytest.mark.parametrize(
    ("action", "inputs", "value"),
    [
        ({}, {}, {"name": "Ada", "gift": "false"}),
        ({}, {"name": "", "size": 5, "gift": True}, {"size": "5", "gift": "yes"}),
        (
            {"data": {"order": 1, "name": "?"}},
            {"name": "Grace"},
            {"name": "Grace", "gift": "false", "order": 1},
        ),
        ({"data": "plain"}, {}, "plain"),
        ({"data": {"order": 1}, "associatedInputs": "None"}, {}, {"order": 1}),
    ],
)
def test_submit(action: dict[str, Any], inputs: dict[str, Any], value: Any) -> None:
    """Action.Submit sends its data with the inputs' values, which are strings and come first."""
    button = adaptive({"type": "Action.Submit", **action}, NAME, SIZE, GIFT)
    assert button.activity("webchat", inputs) == {"type": "message", "value": value}


def test_a_required_input() -> None:
    """A client does not send a card with an empty input that is required."""
    button = adaptive({"type": "Action.Submit"}, {**SIZE, "isRequired": True})
    with pytest.raises(ChatMistake, match="'size' is required"):
        button.activity("webchat", {})
    assert button.activity("webchat", {"size": "L"})["value"] == {"size": "L"}


def test_inputs_of_a_card_in_a_card() -> None:
    """The inner card's button sends the inputs of both, the outer card's button only its own."""
    inner = {"body": [SIZE], "actions": [{"type": "Action.Submit", "title": "Inner"}]}
    content = {
        "body": [NAME],
        "actions": [
            {"type": "Action.ShowCard", "title": "More", "card": inner},
            {"type": "Action.Submit", "title": "Outer"},
        ],
    }
    attachment = {"contentType": ADAPTIVE, "content": content}
    buttons = Reply({"id": "1", "type": "message", "attachments": [attachment]}).buttons
    found = {each.title: each for each in buttons}
    assert found["Inner"].activity("webchat", {"size": "L"})["value"] == {
        "name": "Ada",
        "size": "L",
    }
    with pytest.raises(ChatMistake, match="size"):
        found["Outer"].activity("webchat", {"size": "L"})


def test_execute() -> None:
    """Action.Execute sends an invoke."""
    button = adaptive({"type": "Action.Execute", "verb": "order", "data": {"a": 1}}, NAME)
    action = {"type": "Action.Execute", "verb": "order", "data": {"name": "Ada", "a": 1}}
    assert button.activity("webchat", {}) == {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "value": {"action": action, "trigger": "manual"},
    }


@pytest.mark.parametrize(
    ("teams", "sent"),
    [
        (
            {"type": "task/fetch"},
            {
                "type": "invoke",
                "name": "task/fetch",
                "value": {
                    "data": {"a": 1, "msteams": {"type": "task/fetch"}},
                    "context": {"theme": "default"},
                },
            },
        ),
        ({"type": "imBack", "value": "hi"}, {"type": "message", "text": "hi"}),
        (
            {"type": "messageBack", "text": "hi", "value": {"b": 2}},
            {"type": "message", "text": "hi", "value": {"a": 1, "b": 2}},
        ),
        (
            {"type": "messageBack", "value": '{"b": 2}'},
            {"type": "message", "value": {"a": 1, "b": 2}},
        ),
        ({"type": "messageBack", "value": [2]}, {"type": "message", "value": [2]}),
        ({"type": "invoke", "value": {"b": 2}}, {"type": "invoke", "value": {"b": 2}}),
    ],
)
def test_what_teams_makes_of_submit(teams: dict[str, Any], sent: dict[str, Any]) -> None:
    """In Teams, `msteams` in the data names another action; elsewhere it is data."""
    data = {"a": 1, "msteams": teams}
    button = adaptive({"type": "Action.Submit", "data": data})
    assert button.activity("msteams", {}) == sent
    assert button.activity("webchat", {}) == {"type": "message", "value": data}


def test_a_task_module_from_a_hero_card() -> None:
    """In Teams, the button opens the task module."""
    button = hero({"type": "invoke", "value": {"type": "task/fetch", "id": 1}})
    sent = button.activity("msteams", {})
    assert (sent["name"], sent["value"]["data"]) == ("task/fetch", {"type": "task/fetch", "id": 1})


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        (hero({"type": "openUrl", "value": "https://contoso.com"}), "opens https://contoso.com"),
        (hero({"type": "signin", "value": "https://x"}), "sign_in"),
        (adaptive({"type": "Action.OpenUrl", "url": "https://contoso.com"}), "https://contoso.com"),
        (adaptive({"type": "Action.ToggleVisibility"}), "hides"),
    ],
)
def test_buttons_that_send_nothing(button: Button, reason: str) -> None:
    """The error says what the button does instead."""
    with pytest.raises(ChatMistake, match=reason):
        button.activity("webchat", {})


def test_nested_buttons() -> None:
    """Buttons are found wherever they are, but not in data or in the card's refresh."""
    submit = {"type": "Action.Submit", "title": "In there", "data": {"type": "Action.Submit"}}
    content = {
        "refresh": {"action": {"type": "Action.Execute", "title": "Refresh"}},
        "body": [{"type": "ActionSet", "actions": [submit]}],
        "actions": [
            {"type": "Action.ShowCard", "title": "More", "card": {"actions": [submit]}},
        ],
    }
    attachment = {"contentType": ADAPTIVE, "content": content}
    reply = Reply({"id": "1", "type": "message", "attachments": [attachment]})
    assert [each.title for each in reply.buttons] == ["In there", "More", "In there"]


@pytest.mark.parametrize(
    "button", [hero({"type": "imBack", "value": "x"}), adaptive({"type": "Action.Submit"}, NAME)]
)
def test_an_input_that_is_not_there(button: Button) -> None:
    """Entering text into an input that the card lacks is an error."""
    with pytest.raises(ChatMistake, match="input"):
        button.activity("webchat", {"nmae": "Ada"})
