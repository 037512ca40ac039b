"""Chat.sign_in: every way to sign in, in front of a bot with an OAuthPrompt."""

import pytest

from bot_testing import Chat, ChatMistake
from bot_testing.activities.sign_in import By

pytestmark = pytest.mark.chat(bot="examples/sign_in")

SIGNED_IN = "You are signed in."


@pytest.mark.parametrize("by", ["window", "code"])
@pytest.mark.parametrize("channel", ["webchat", "directline", "msteams"])
async def test_a_sign_in(chat: Chat, channel: str, by: By) -> None:
    """The bot has the user's token, and shows no card the next time."""
    here = chat.new_conversation(channel=channel)
    assert (await here.sign_in(await here.say("hi"), by=by)).texts == [SIGNED_IN]
    assert (await here.say("hi")).texts == [SIGNED_IN]
    assert (await chat.say("hi")).texts != [SIGNED_IN]


@pytest.mark.chat(channel="msteams")
async def test_single_sign_on(chat: Chat) -> None:
    """The bot exchanges the user's token."""
    result = await chat.sign_in(await chat.say("hi"), by="sso")
    assert (result.status, result.texts) == (200, [SIGNED_IN])


async def test_the_time_limit(chat: Chat) -> None:
    """A sign-in that comes after the prompt's time limit does not count."""
    card = await chat.say("hi")
    await chat.move_time(minutes=6)
    assert (await chat.sign_in(card, by="code")).texts == ["You are not signed in."]


async def test_an_expired_link(chat: Chat) -> None:
    """The user cannot use the card any more."""
    card = await chat.say("hi")
    await chat.move_time(minutes=11)
    with pytest.raises(ChatMistake, match="expired"):
        await chat.sign_in(card)


async def test_no_card(chat: Chat) -> None:
    """There is nothing to sign in with."""
    with pytest.raises(ChatMistake, match="sign-in card"):
        await chat.sign_in(await chat.say("logout"))


async def test_the_cards_button(chat: Chat) -> None:
    """Its button is not for `press`."""
    with pytest.raises(ChatMistake, match=r"chat\.sign_in"):
        await chat.press(await chat.say("hi"), "Sign in")
