"""An AgentApplication that is returned by `create_bot`: what its users see."""

import sys
from typing import Literal

import pytest

from bot_testing import APOLOGY, Chat

pytestmark = [
    pytest.mark.chat(bot="tests/agents/bots/club", channel="msteams"),
    pytest.mark.filterwarnings("ignore:AgentApplication.adapter is obsolete"),
]


async def test_a_turn(chat: Chat) -> None:
    """Its routes answer."""
    assert (await chat.join()).texts == ["Welcome to the club"]
    [reply] = await chat.say("e4")
    assert reply.text == "You played e4"
    assert reply.raw["replyToId"]


async def test_state(chat: Chat) -> None:
    """Its state is the base's, of the conversation and of the user, and outlives the process."""
    assert (await chat.say("wins")).texts == ["1 here, 1 in all"]
    assert await chat.state.conversation() == {"wins": 1}
    assert await chat.state.user() == {"wins": 1}
    assert (await chat.say("wins")).texts == ["2 here, 2 in all"]
    assert (await chat.user("Grace").say("wins")).texts == ["3 here, 1 in all"]


async def test_an_error(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged without the user's words, and discards the turn's changes."""
    await chat.say("wins")
    replies = await chat.say("lose", expect_error=LookupError)
    assert replies.texts == [APOLOGY]
    assert await chat.state.conversation() == {"wins": 1}
    assert not [each for each in caplog.records if each.name.startswith("microsoft_agents")]


async def test_an_answer_that_grows(chat: Chat) -> None:
    """Its StreamingResponse is a Reply of the base."""
    [reply] = await chat.say("explain")
    assert reply.text == "A knight jumps [1]."
    [about] = [each for each in reply.raw["entities"] if each["type"] != "streaminfo"]
    assert about["additionalType"] == ["AIGeneratedContent"]
    [citation] = about["citation"]
    assert citation["appearance"]["name"] == "Rules"
    assert reply.raw["channelData"]["feedbackLoop"] == {"type": "default"}


async def test_its_own_connector_client(chat: Chat) -> None:
    """The SDK's clients call the connector with the bot's token."""
    assert (await chat.say("members")).texts == ["Ada"]


async def test_an_invoke(chat: Chat) -> None:
    """Its response is the answer to the request."""
    answer = await chat.invoke("move", {"to": "e5"})
    assert (answer.status, answer.body) == (200, {"moved": "e5"})


async def test_tokens(chat: Chat) -> None:
    """Its connection manager gives the bot's tokens, to Azure's clients, too."""
    assert (await chat.say("badge")).texts == ["True"]


async def test_agent_id(chat: Chat) -> None:
    """Tokens of Agent ID are refused."""
    from cloud_adapter.errors import NoToken

    assert (await chat.say("agentic", expect_error=NoToken)).texts == [APOLOGY]


async def test_proactive_by_id(chat: Chat) -> None:
    """The module's own adapter continues a conversation that its own storage has remembered."""
    [reply] = await chat.say("remember")
    other = chat.new_conversation()
    await other.send({"type": "event", "name": "begin", "value": reply.text})
    assert (await chat.next_reply()).text == "The match begins"


@pytest.mark.parametrize("by", ["window", "code", "sso"])
@pytest.mark.chat(settings={"ConnectionName": "letters"})
async def test_sign_in(chat: Chat, by: Literal["window", "code", "sso"]) -> None:
    """The message that waited for the user to sign in is processed once."""
    card = await chat.say("letters")
    replies = await chat.sign_in(card, by=by)
    assert replies.texts[-1:] == ["You have mail: True"]
    assert (await chat.say("letters")).texts == ["You have mail: True"]


async def test_typing(chat: Chat) -> None:
    """The base shows its indicator; the SDK's option stays, for another app of the process."""
    assert chat.bot.parts.services.typing_indicator
    assert sys.modules["bot_logic"].CLUB.options.start_typing_timer
