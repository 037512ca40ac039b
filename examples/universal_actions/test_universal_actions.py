"""Universal Actions."""

from typing import Any

import pytest

from bot_testing import Chat, TurnResult


def shown(answer: TurnResult) -> list[str]:
    """The texts of the card that replaces the one with the button."""
    return [each["text"] for each in answer.card["body"]]


async def test_votes(chat: Chat) -> None:
    """Each vote returns the card with the new count."""
    [card] = await chat.say("Lunch at noon?")
    assert shown(await chat.press(card, "Yes")) == ["Lunch at noon?", "Yes: 1, No: 0"]
    assert shown(await chat.user("Grace").press(card, "No")) == ["Lunch at noon?", "Yes: 1, No: 1"]


async def test_a_refresh(chat: Chat) -> None:
    """Teams asks for the card again when the user looks at it."""
    [reply] = await chat.say("Lunch at noon?")
    await chat.user("Grace").press(reply, "Yes")
    value = {"action": reply.card["refresh"]["action"], "trigger": "automatic"}
    answer = await chat.invoke("adaptiveCard/action", value)
    assert shown(answer) == ["Lunch at noon?", "Yes: 1, No: 0"]


@pytest.mark.parametrize("data", [None, {}, {"choice": "Maybe", "question": "Lunch?"}])
async def test_a_choice_that_no_button_has(chat: Chat, data: Any) -> None:
    """A choice that no button offers is not counted."""
    action = {"type": "Action.Execute", "verb": "vote", "data": data}
    answer = await chat.invoke("adaptiveCard/action", {"action": action, "trigger": "manual"})
    assert shown(answer)[1] == "Yes: 0, No: 0"
