import sys
import traceback

from botbuilder.core import ConversationState, MessageFactory, TurnContext
from botbuilder.schema import Activity, ActivityTypes, InputHints

from bots.hotel_bot import ACTIVE_SKILL_PROPERTY_NAME
from config import DefaultConfig, SkillConfiguration


class TurnErrorHandler:
    """What the samples' AdapterWithErrorHandler does."""

    def __init__(
        self,
        config: DefaultConfig,
        conversation_state: ConversationState,
        skill_client,
        skill_config: SkillConfiguration,
    ):
        self._config = config
        self._conversation_state = conversation_state
        self._skill_client = skill_client
        self._skill_config = skill_config

    async def handle(self, turn_context: TurnContext, error: Exception):
        print(f"[on_turn_error] unhandled error: {error}", file=sys.stderr)
        traceback.print_exc()
        text = "The hotel is closed."
        await turn_context.send_activity(MessageFactory.text(text, text, InputHints.ignoring_input))
        await self._end_skill_conversation(turn_context)
        await self._conversation_state.delete(turn_context)

    async def _end_skill_conversation(self, turn_context: TurnContext):
        try:
            active_skill = await self._conversation_state.create_property(
                ACTIVE_SKILL_PROPERTY_NAME
            ).get(turn_context)
            if active_skill:
                end_of_conversation = Activity(type=ActivityTypes.end_of_conversation)
                end_of_conversation.code = "RootSkillError"
                TurnContext.apply_conversation_reference(
                    end_of_conversation,
                    TurnContext.get_conversation_reference(turn_context.activity),
                    True,
                )
                await self._conversation_state.save_changes(turn_context, True)
                await self._skill_client.post_activity_to_skill(
                    self._config.APP_ID,
                    active_skill,
                    self._skill_config.SKILL_HOST_ENDPOINT,
                    end_of_conversation,
                )
        except Exception as exception:
            print(f"Exception caught on _end_skill_conversation: {exception}", file=sys.stderr)
            traceback.print_exc()
