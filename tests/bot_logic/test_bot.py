"""Bot: what it answers to each kind of activity, in front of the local cloud."""

import asyncio
import json
import re
from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_logic import cards
from bot_logic.bot import GREETING, HELP, Bot
from cloud_adapter.adapter import APOLOGY
from tests.support.bots.composed_app import USER, ComposedApp
from tests.support.timing.loop_turns import settled

TEAMS = {"channelId": "msteams", "channelData": {"tenant": {"id": "5b1c7a58"}}}
EXECUTE = {"type": "Action.Execute", "verb": "color", "data": {"color": "green"}}


async def replies(app: ComposedApp, content: dict[str, Any]) -> list[Any]:
    """The texts that the bot sends for an activity."""
    response = await app.deliver(content, app.parts.bot.on_turn)
    assert (response.status, response.body) == (200, b"")
    return app.texts()


def message(text: str | None, **more: Any) -> dict[str, Any]:
    """A user's message."""
    return {"type": "message", "text": text, **more}


@pytest.mark.parametrize("text", ["hello", "help me", "h\u00e9llo \U0001f600", "*bold*"])
async def test_an_echo(app: ComposedApp, text: str) -> None:
    """A text that is not a command is echoed."""
    assert await replies(app, message(text)) == [f"You said: {text}"]


@pytest.mark.parametrize("text", ["help", " HELP\n", "Help"])
async def test_help(app: ComposedApp, text: str) -> None:
    """`help` is answered with the list of commands; case is ignored."""
    assert await replies(app, message(text)) == [HELP]


def test_help_lists_every_command(app: ComposedApp) -> None:
    """Each command is in the list, and nothing else."""
    assert re.findall(r"\*\*(\w+)\*\*", HELP) == list(app.parts.bot.commands)


async def test_the_card(app: ComposedApp) -> None:
    """`card` is answered with an Adaptive Card."""
    await replies(app, message("card"))
    (attachment,) = app.conversation.activities[0]["attachments"]
    assert attachment["contentType"] == cards.CONTENT_TYPE
    assert attachment["content"] == cards.pick_a_color().content


async def test_whoami(app: ComposedApp) -> None:
    """The bot lists what the channel says about the user."""
    (facts,) = await replies(app, message("whoami", locale="en-US"))
    assert "- **Name**: Ada" in facts
    assert "- **Channel**: webchat" in facts
    assert "- **Locale**: en-US" in facts


async def test_counting(app: ComposedApp) -> None:
    """The bot counts from 1, in each conversation."""
    await replies(app, message("count"))
    assert await replies(app, message("count")) == ["Count: 1", "Count: 2"]


async def test_the_wait_command(app: ComposedApp) -> None:
    """The bot says that it is done once the time has passed, and not earlier."""

    async def early(turn: TurnContext) -> None:
        sending: list[Any] = []

        async def note(_: TurnContext, activities: list[Any], __: Any) -> None:
            sending.extend(activities)

        turn.on_send_activities(note)
        waiting = asyncio.create_task(
            Bot(app.parts.services.conversation_state, 3600).commands["wait"](turn)
        )
        await settled()
        assert sending == []
        waiting.cancel()

    await app.deliver(message("wait"), early)
    await app.deliver(message("wait"), Bot(app.parts.services.conversation_state, 0).on_turn)
    assert app.texts() == ["Done. Thank you for waiting."]


@pytest.mark.parametrize("more", [{}, {"value": "red"}, {"value": ["red"]}, {"value": None}])
@pytest.mark.parametrize("text", [None, "", "  "])
async def test_a_message_without_text(
    app: ComposedApp, text: str | None, more: dict[str, Any]
) -> None:
    """The bot says that the message has no text."""
    (reply,) = await replies(app, message(text, **more))
    assert "no text" in reply


async def test_a_message_without_a_sender(app: ComposedApp) -> None:
    """An activity without a sender and a recipient is answered."""
    assert await replies(app, message("hello", **{"from": None, "recipient": None})) == [
        "You said: hello"
    ]


@pytest.mark.parametrize(
    ("text", "reply"), [("<at>Bot</at> help", HELP), ("<at>Bot</at> hello", "You said: hello")]
)
async def test_a_mention_in_teams(app: ComposedApp, text: str, reply: str) -> None:
    """In a group, the bot ignores the mention of itself."""
    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": app.account}
    assert await replies(app, message(text, entities=[mention], **TEAMS)) == [reply]


@pytest.mark.parametrize("channel", [{}, TEAMS])
async def test_greetings(app: ComposedApp, channel: dict[str, Any]) -> None:
    """Everybody who joins gets one greeting, and no member details are requested."""
    grace = {"id": "user-2", "name": "Grace"}
    joined = {"type": "conversationUpdate", "membersAdded": [USER, app.account, grace], **channel}
    calls = len(app.cloud.connector.calls)
    assert await replies(app, joined) == [GREETING]
    assert len(app.cloud.connector.calls) == calls + 1
    assert await replies(app, {**joined, "recipient": None}) == [GREETING] * 2
    # The bot does not greet itself.
    assert await replies(app, {**joined, "membersAdded": [app.account]}) == [GREETING] * 2


@pytest.mark.parametrize(
    "content",
    [
        {"type": "conversationUpdate", "membersRemoved": [USER]},
        {"type": "conversationUpdate", "membersRemoved": [USER], **TEAMS},
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
async def test_other_activities(app: ComposedApp, content: dict[str, Any]) -> None:
    """The bot does not answer other activities."""
    assert await replies(app, content) == []


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
async def test_a_submitted_card(app: ComposedApp, value: dict[str, Any], color: str) -> None:
    """Action.Submit is answered with a message, for any data."""
    assert await replies(app, message(None, value=value)) == [f"You submitted: {color}"]


async def test_a_card_with_a_text(app: ComposedApp) -> None:
    """The text of a message takes precedence over its value."""
    assert await replies(app, message("hello", value={"color": "blue"})) == ["You said: hello"]


def execute(action: Any) -> dict[str, Any]:
    """The invoke of an Action.Execute."""
    return {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": action}}


@pytest.mark.parametrize("channel", [{}, TEAMS])
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
async def test_an_executed_card(
    app: ComposedApp, action: dict[str, Any], color: str, channel: dict[str, Any]
) -> None:
    """Action.Execute is answered with a card that replaces the first one."""
    response = await app.deliver({**execute(action), **channel}, app.parts.bot.on_turn)
    assert response.status == 200
    assert json.loads(response.body) == {
        "statusCode": 200,
        "type": cards.CONTENT_TYPE,
        "value": cards.thank_you(color),
    }
    assert app.texts() == []


@pytest.mark.parametrize(
    "content",
    [
        execute({"type": "Action.Submit"}),
        execute({}),
        execute(None),
        {**execute(EXECUTE), "value": None},
        {**execute(EXECUTE), "value": "green"},
        {**execute(EXECUTE), "value": {"actions": EXECUTE}},
        execute("green"),
        execute([EXECUTE]),
    ],
)
async def test_a_malformed_execution(app: ComposedApp, content: dict[str, Any]) -> None:
    """The channel gets no 5xx for a malformed action."""
    response = await app.deliver(content, app.parts.bot.on_turn)
    assert response.status in (200, 400)
    assert app.texts() in ([], [APOLOGY])


async def test_an_invoke_of_another_kind(app: ComposedApp) -> None:
    """An unknown invoke is answered 501."""
    invoke = {"type": "invoke", "name": "something/else", "value": {}}
    response = await app.deliver(invoke, app.parts.bot.on_turn)
    assert (response.status, response.body) == (501, b"")
