from botbuilder.core import ActivityHandler, ConversationState, MessageFactory, TurnContext
from botbuilder.core.skills import BotFrameworkSkill
from botbuilder.schema import ActivityTypes

from config import DefaultConfig, SkillConfiguration

ACTIVE_SKILL_PROPERTY_NAME = "activeSkillProperty"
TARGET_SKILL_ID = "Porter"


class HotelBot(ActivityHandler):
    def __init__(
        self,
        conversation_state: ConversationState,
        skills_config: SkillConfiguration,
        skill_client,
        config: DefaultConfig,
    ):
        self._bot_id = config.APP_ID
        self._skill_client = skill_client
        self._skills_config = skills_config
        self._conversation_state = conversation_state
        self._active_skill_property = conversation_state.create_property(ACTIVE_SKILL_PROPERTY_NAME)

    async def on_turn(self, turn_context):
        if turn_context.activity.type != ActivityTypes.end_of_conversation:
            active_skill: BotFrameworkSkill = await self._active_skill_property.get(turn_context)
            if active_skill:
                await self.__send_to_skill(turn_context, active_skill)
                return
        await super().on_turn(turn_context)

    async def on_message_activity(self, turn_context: TurnContext):
        if "porter" in turn_context.activity.text:
            await turn_context.send_activity(MessageFactory.text("I call the porter."))
            skill = self._skills_config.SKILLS[TARGET_SKILL_ID]
            await self._active_skill_property.set(turn_context, skill)
            await self.__send_to_skill(turn_context, skill)
        else:
            await turn_context.send_activity(MessageFactory.text("Shall I call the porter?"))

    async def on_end_of_conversation_activity(self, turn_context: TurnContext):
        await self._active_skill_property.delete(turn_context)
        text = f"The porter has left: {turn_context.activity.code}"
        if turn_context.activity.value:
            text = text + f", {turn_context.activity.value}"
        await turn_context.send_activity(text)
        await self._conversation_state.save_changes(turn_context, force=True)

    async def __send_to_skill(self, turn_context: TurnContext, target_skill: BotFrameworkSkill):
        # The skill's replies must find what is stored now.
        await self._conversation_state.save_changes(turn_context, force=True)
        await self._skill_client.post_activity_to_skill(
            self._bot_id,
            target_skill,
            self._skills_config.SKILL_HOST_ENDPOINT,
            turn_context.activity,
        )
