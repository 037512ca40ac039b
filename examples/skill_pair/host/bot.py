"""HostBot: forwards the user's messages while the skill has the conversation."""

from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.core.skills import BotFrameworkSkill

from cloud_adapter.bot.services import BotServices


class HostBot(ActivityHandler):
    """After `skill`, the skill has the conversation until it ends it.

    Args:
        services: the services that `create_bot` gets.
        skill: the skill.
        endpoint: URL that the skill sends its replies to.
    """

    def __init__(self, services: BotServices, skill: BotFrameworkSkill, endpoint: str) -> None:
        super().__init__()
        self._app_id = services.app_id
        self._skills = services.skill_client
        self._state = services.conversation_state
        self._with_skill = services.conversation_state.create_property("with skill")
        self._skill = skill
        self._endpoint = endpoint

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer, or forward the message."""
        if await self._with_skill.get(turn_context, lambda: False):
            await self._forward(turn_context)
        elif turn_context.activity.text == "skill":
            await self._with_skill.set(turn_context, True)
            await self._forward(turn_context)
        else:
            await turn_context.send_activity("Say **skill** to talk to the skill.")

    async def on_end_of_conversation_activity(self, turn_context: TurnContext) -> None:
        """Take the conversation back when the skill ends it."""
        await self._with_skill.delete(turn_context)
        # The user's next message does not wait for this turn, and must not go to the skill.
        await self._state.save_changes(turn_context, force=True)
        await turn_context.send_activity("Back at the host.")

    async def _forward(self, turn_context: TurnContext) -> None:
        # The skill may answer before this turn ends, and its answer needs the state.
        await self._state.save_changes(turn_context, force=True)
        await self._skills.post_activity_to_skill(
            self._app_id, self._skill, self._endpoint, turn_context.activity
        )
