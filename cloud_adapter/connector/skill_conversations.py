"""SkillConversations: the conversation ids that skills get, and the conversations behind them.

Source: botbuilder's SkillConversationIdFactory; the stored items have the same form.
"""

import hashlib
import uuid

from botbuilder.core import TurnContext
from botbuilder.core.skills import (
    SkillConversationIdFactory,
    SkillConversationIdFactoryOptions,
    SkillConversationReference,
)


class SkillConversations(SkillConversationIdFactory):  # type: ignore[misc]  # untyped SDK base
    """Stores which conversation an id stands for, and which skill may reply there.

    A stored conversation is the SDK's SkillConversationReference. It has one more attribute,
    `skill_app_id`: the app id (GUID) of the skill that was called.
    """

    async def create_skill_conversation_id(self, options: SkillConversationIdFactoryOptions) -> str:
        """Store the conversation of `options.activity`, and return a new id, for a SkillDialog.

        Raises:
            StorageUnavailable: it cannot be stored.
        """
        return await self._store(str(uuid.uuid4()), options)

    async def continue_skill_conversation(self, options: SkillConversationIdFactoryOptions) -> str:
        """Store the conversation, and return the id that this skill always gets for it.

        So the skill sees one conversation even if no SkillDialog remembers the id.

        Raises:
            StorageUnavailable: it cannot be stored.
        """
        activity, skill = options.activity, options.bot_framework_skill
        parts = (activity.channel_id, activity.conversation.id, skill.app_id, skill.id)
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()
        return await self._store(digest[:32], options)

    async def _store(self, conversation_id: str, options: SkillConversationIdFactoryOptions) -> str:
        reference = SkillConversationReference(
            TurnContext.get_conversation_reference(options.activity),
            options.from_bot_oauth_scope,
        )
        reference.skill_app_id = options.bot_framework_skill.app_id
        await self._storage.write({conversation_id: reference})
        return conversation_id
