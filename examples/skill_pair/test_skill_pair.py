"""Skill pair: the host in the test's process, the skill in one of its own."""

import pytest

from bot_testing import Chat


async def test_there_and_back(chat: Chat) -> None:
    """The skill has the conversation until it ends it."""
    assert (await chat.say("hi")).texts == ["Say **skill** to talk to the skill."]
    assert (await chat.say("skill")).texts == ["lliks"]
    assert (await chat.say("hello")).texts == ["olleh"]
    assert (await chat.say("end")).texts == ["Back at the host."]
    assert (await chat.say("hello")).texts == ["Say **skill** to talk to the skill."]


@pytest.mark.chat(bot="examples/skill_pair/skill")
async def test_the_skill_alone(chat: Chat) -> None:
    """Without a host, the skill is a bot like any other."""
    assert (await chat.say("hello")).texts == ["olleh"]
    [end] = await chat.say("end")
    assert end.type == "endOfConversation"
