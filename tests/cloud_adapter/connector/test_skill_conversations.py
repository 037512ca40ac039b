"""SkillConversations: which calls of a skill share a conversation."""

from typing import Any

import pytest
from botbuilder.core import MemoryStorage
from botbuilder.core.skills import BotFrameworkSkill, SkillConversationIdFactoryOptions
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from cloud_adapter.connector.skill_conversations import SkillConversations

CALL = {"channel": "msteams", "conversation": "c", "skill": "s", "app_id": "a"}


def options(**changes: str) -> Any:
    """A call of a skill for a message."""
    call = CALL | changes
    activity = Activity(
        type="message",
        id=call.get("activity", "1"),
        channel_id=call["channel"],
        conversation=ConversationAccount(id=call["conversation"]),
        from_property=ChannelAccount(id="user"),
    )
    skill = BotFrameworkSkill(call["skill"], call["app_id"], "https://skill.example")
    return SkillConversationIdFactoryOptions("audience", "bot", activity, skill)


@pytest.fixture
def conversations() -> SkillConversations:
    """In memory."""
    return SkillConversations(MemoryStorage())


async def test_each_dialog_has_a_conversation(conversations: SkillConversations) -> None:
    """A dialog that begins again calls the skill in a new one."""
    ids = {await conversations.create_skill_conversation_id(options()) for _ in range(3)}
    assert len(ids) == 3


async def test_calls_without_a_dialog_share_one(conversations: SkillConversations) -> None:
    """Message by message, the same skill has the same conversation; nobody else has it."""
    first = await conversations.continue_skill_conversation(options())
    assert await conversations.continue_skill_conversation(options(activity="2")) == first
    others = [
        await conversations.continue_skill_conversation(options(**{name: "other"})) for name in CALL
    ]
    assert len({first, *others}) == 5


async def test_what_is_stored(conversations: SkillConversations) -> None:
    """The conversation as the last call had it, the audience for replies, and the skill."""
    for activity in ("1", "2"):
        known = await conversations.continue_skill_conversation(options(activity=activity))
    found = await conversations.get_skill_conversation_reference(known)
    assert found.conversation_reference.activity_id == "2"
    assert found.conversation_reference.user.id == "user"
    assert (found.oauth_scope, found.skill_app_id) == ("audience", "a")
    await conversations.delete_conversation_reference(known)
    assert await conversations.get_skill_conversation_reference(known) is None
