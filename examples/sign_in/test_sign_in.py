"""Sign in."""

import pytest

from bot_testing import Chat


async def test_sign_in_and_out(chat: Chat) -> None:
    """The card leads to a sign-in; from then on the user is known."""
    card = await chat.say("hi")
    assert (await chat.sign_in(card)).texts == ["You are signed in."]
    assert (await chat.say("hi")).texts == ["You are signed in."]
    assert (await chat.say("logout")).texts == ["You are signed out."]
    [again] = await chat.say("hi")
    assert again.card["text"] == "Please sign in."


@pytest.mark.chat(channel="msteams")
async def test_single_sign_on(chat: Chat) -> None:
    """In Teams, the user need not do anything."""
    card = await chat.say("hi")
    assert (await chat.sign_in(card, by="sso")).texts == ["You are signed in."]


async def test_a_user_who_does_not_sign_in(chat: Chat) -> None:
    """Anything else than a code ends the sign-in."""
    await chat.say("hi")
    assert (await chat.say("no, thanks")).texts == ["You are not signed in."]
