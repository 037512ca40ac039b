"""Bot: what it answers to each kind of activity."""

import re
import time
from typing import Any

import pytest
from botbuilder.core import ConversationState, MemoryStorage

from bot_logic import cards
from bot_logic.bot import GREETING, HELP, Bot
from bot_testing import APOLOGY, Chat, TurnResult

CHANNELS = pytest.mark.parametrize("channel", ["webchat", "msteams"])
EXECUTE = {"type": "Action.Execute", "verb": "color", "data": {"color": "green"}}


@pytest.mark.parametrize("text", ["hello", "help me", "h\u00e9llo \U0001f600", "*bold*"])
async def test_an_echo(chat: Chat, text: str) -> None:
    """A text that is not a command is echoed."""
    assert (await chat.say(text)).texts == [f"You said: {text}"]


@pytest.mark.parametrize("text", ["help", " HELP\n", "Help"])
async def test_help(chat: Chat, text: str) -> None:
    """`help` is answered with the list of commands; case is ignored."""
    assert (await chat.say(text)).texts == [HELP]


def test_help_lists_every_command() -> None:
    """Each command is in the list, and nothing else."""
    bot = Bot(ConversationState(MemoryStorage()))
    assert re.findall(r"\*\*(\w+)\*\*", HELP) == list(bot.commands)


async def test_the_card(chat: Chat) -> None:
    """`card` is answered with an Adaptive Card."""
    [reply] = await chat.say("card")
    assert reply.attachments[0]["contentType"] == cards.CONTENT_TYPE
    assert reply.card == cards.pick_a_color().content


async def test_whoami(chat: Chat) -> None:
    """The bot lists what the channel says about the user."""
    [reply] = await chat.say("whoami", locale="en-US")
    assert "- **Name**: Ada" in reply.text
    assert "- **Channel**: webchat" in reply.text
    assert "- **Locale**: en-US" in reply.text


async def test_counting(chat: Chat) -> None:
    """The bot counts from 1, in each conversation."""
    await chat.say("count")
    assert (await chat.say("count")).texts == ["Count: 2"]
    assert (await chat.new_conversation().say("count")).texts == ["Count: 1"]


@pytest.mark.chat(skip_waits=True)
async def test_the_wait_command(chat: Chat) -> None:
    """The bot says that it is done once three seconds have passed."""
    said = time.time()
    assert (await chat.say("wait")).texts == ["Done. Thank you for waiting."]
    assert time.time() - said >= 3


@pytest.mark.parametrize("more", [{}, {"value": "red"}, {"value": ["red"]}, {"value": None}])
@pytest.mark.parametrize("text", [None, "", "  "])
async def test_a_message_without_text(chat: Chat, text: str | None, more: dict[str, Any]) -> None:
    """The bot says that the message has no text."""
    [reply] = await chat.send({"type": "message", "text": text, **more})
    assert "no text" in reply.text


async def test_a_message_without_a_sender(chat: Chat) -> None:
    """An activity without a sender and a recipient is answered."""
    content = {"type": "message", "text": "hello", "from": None, "recipient": None}
    assert (await chat.send(content)).texts == ["You said: hello"]


@pytest.mark.chat(channel="msteams", kind="groupChat")
@pytest.mark.parametrize(("text", "reply"), [("help", HELP), ("hello", "You said: hello")])
async def test_a_mention_in_teams(chat: Chat, text: str, reply: str) -> None:
    """In a group, the bot ignores the mention of itself."""
    assert (await chat.say(text)).texts == [reply]
    assert chat.activities[0]["text"] == f"<at>Bot</at> {text}"


@CHANNELS
async def test_greetings(chat: Chat, channel: str) -> None:
    """Everybody who joins gets one greeting, and no member details are requested."""
    here = chat.new_conversation(channel=channel)
    chat.fail("connector", path="/members")
    assert (await here.join(here, here.user("Grace"))).texts == [GREETING]


@CHANNELS
async def test_the_bot_does_not_greet_itself(chat: Chat, channel: str) -> None:
    """The bot joins every conversation first."""
    here = chat.new_conversation(channel=channel)
    [reply] = await here.say("hello")
    joined = {"type": "conversationUpdate", "membersAdded": [reply.raw["from"]]}
    assert (await here.send(joined)).texts == []
    assert (await here.send({**joined, "recipient": None})).texts == [GREETING]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "conversationUpdate", "topicName": "x"},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}]},
        {"type": "typing"},
        {"type": "event", "name": "x", "value": {"a": 1}},
        {"type": "endOfConversation"},
        {"type": "installationUpdate", "action": "add"},
        {"type": "messageUpdate", "text": "help"},
        {"type": "messageDelete"},
        {"type": "somethingNew"},
    ],
)
async def test_other_activities(chat: Chat, content: dict[str, Any]) -> None:
    """The bot does not answer other activities."""
    assert (await chat.send(content)).texts == []


@CHANNELS
async def test_a_user_who_leaves(chat: Chat, channel: str) -> None:
    """The bot says nothing."""
    assert (await chat.new_conversation(channel=channel).leave()).texts == []


@pytest.mark.parametrize(
    ("value", "color"),
    [
        ({"color": "blue"}, "blue"),
        ({"color": "blue", "other": [1]}, "blue"),
        ({}, "nothing"),
        ({"other": 1}, "nothing"),
        ({"color": None}, "nothing"),
        ({"color": ""}, "nothing"),
        ({"color": 5}, "nothing"),
        ({"color": ["red"]}, "nothing"),
    ],
)
async def test_submitted_data(chat: Chat, value: dict[str, Any], color: str) -> None:
    """Action.Submit is answered with a message, for any data."""
    content = {"type": "message", "text": None, "value": value}
    assert (await chat.send(content)).texts == [f"You submitted: {color}"]


async def test_a_card_with_a_text(chat: Chat) -> None:
    """The text of a message takes precedence over its value."""
    result = await chat.say("hello", value={"color": "blue"})
    assert result.texts == ["You said: hello"]


async def test_the_buttons_of_the_card(chat: Chat) -> None:
    """One answers with a message, the other replaces the card."""
    [card] = await chat.say("card")
    assert (await chat.press(card, "Send as a message", color="blue")).texts == [
        "You submitted: blue"
    ]
    answer = await chat.press(card, "Update this card", color="green")
    assert answer.card == cards.thank_you("green")
    assert chat.replies[0].card == cards.thank_you("green")


async def execute(chat: Chat, action: Any) -> TurnResult:
    """Send the invoke of an Action.Execute."""
    return await chat.invoke("adaptiveCard/action", {"action": action})


@CHANNELS
@pytest.mark.parametrize(
    ("action", "color"),
    [
        (EXECUTE, "green"),
        ({**EXECUTE, "data": {}}, "nothing"),
        ({**EXECUTE, "data": None}, "nothing"),
        ({**EXECUTE, "data": "green"}, "nothing"),
        ({**EXECUTE, "data": ["green"]}, "nothing"),
        ({"type": "Action.Execute"}, "nothing"),
    ],
)
async def test_an_executed_action(
    chat: Chat, action: dict[str, Any], color: str, channel: str
) -> None:
    """Action.Execute is answered with a card, for any data."""
    answer = await execute(chat.new_conversation(channel=channel), action)
    assert answer.status == 200
    assert answer.card == cards.thank_you(color)


@pytest.mark.parametrize("action", [{"type": "Action.Submit"}, {}, None])
async def test_another_action(chat: Chat, action: Any) -> None:
    """The channel gets 400 for an action that no card sends."""
    assert (await execute(chat, action)).status == 400


@pytest.mark.parametrize("action", ["green", [EXECUTE]])
async def test_a_malformed_action(chat: Chat, action: Any) -> None:
    """botbuilder fails on an action that is no object; the channel gets no 5xx."""
    value = {"action": action}
    answer = await chat.invoke("adaptiveCard/action", value, expect_error=AttributeError)
    assert (answer.status, answer.texts) == (200, [APOLOGY])


async def test_an_invoke_of_another_kind(chat: Chat) -> None:
    """An unknown invoke is answered 501."""
    assert (await chat.invoke("something/else", {})).status == 501
