"""An ActivityHandler of the Agents SDK: its turns share its state objects, and not their state."""

import asyncio

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.chat(bot="tests/agents/bots/tour")


async def test_state(chat: Chat) -> None:
    """What its accessors change is stored."""
    assert (await chat.say("bridge")).texts == ["bridge"]
    assert (await chat.say("castle")).texts == ["bridge castle"]
    assert await chat.state.conversation() == {"stops": ["bridge", "castle"]}
    assert await chat.state.user() == {"seen": 2}


@pytest.mark.parametrize("chat_options", ["Inline memory"], indirect=True)  # the kit's queue waits
async def test_conversations_at_the_same_time(chat: Chat) -> None:
    """Each group has its own stops, although their turns wait for one another in between."""
    groups = [chat, *(chat.new_conversation() for _ in range(15))]
    for number, stop in enumerate("abc"):
        await asyncio.gather(*(each.say(f"{stop}{group}") for group, each in enumerate(groups)))
        expected = [
            " ".join(f"{each}{group}" for each in "abc"[: number + 1])
            for group in range(len(groups))
        ]
        assert [each.replies[-1].text for each in groups] == expected
