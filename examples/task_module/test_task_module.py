"""Task module."""

import pytest

from bot_testing import Chat


@pytest.mark.chat(channel="msteams")
async def test_booking(chat: Chat) -> None:
    """The button opens a window; what is entered there is booked."""
    [card] = await chat.say("hi")
    window = await chat.press(card, "Book a room")
    assert window.body["task"]["value"]["title"] == "Book a room"
    answer = await chat.invoke("task/submit", {"data": {"room": "Blue"}})
    assert answer.body["task"]["value"] == "Thank you."
    assert answer.texts == ["Booked: Blue"]
