"""A bot that uses the Agents SDK's extension for Teams."""

import sys

import pytest

from bot_testing import Chat

pytestmark = [
    pytest.mark.chat(bot="tests/agents/bots/team", channel="msteams"),
    pytest.mark.filterwarnings("ignore:AgentApplication.adapter is obsolete"),
    pytest.mark.filterwarnings("ignore:The bot client is deprecated"),
]


async def test_its_client_of_the_connector(chat: Chat) -> None:
    """It calls through ours, with the bot's token, and is closed when the turn ends."""
    assert (await chat.say("captain")).texts == ["Ada, of 1 on this page"]
    client = sys.modules["bot_logic"].CLIENTS[-1]
    assert client.is_closed


async def test_a_refused_call(chat: Chat) -> None:
    """The bot sees the connector's error."""
    import httpx

    chat.fail("connector", status=403, path="members")
    await chat.say("captain", expect_error=httpx.HTTPStatusError)
