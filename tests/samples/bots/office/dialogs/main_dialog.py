from botbuilder.core import ConversationState, MessageFactory, TurnContext
from botbuilder.core.skills import BotFrameworkSkill, ConversationIdFactoryBase
from botbuilder.dialogs import (
    ComponentDialog,
    DialogContext,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice, FoundChoice
from botbuilder.dialogs.prompts import ChoicePrompt, PromptOptions, PromptValidatorContext
from botbuilder.dialogs.skills import BeginSkillDialogOptions, SkillDialog, SkillDialogOptions
from botbuilder.schema import Activity, ActivityTypes, InputHints

from config import DefaultConfig, SkillConfiguration


class MainDialog(ComponentDialog):
    ACTIVE_SKILL_PROPERTY_NAME = "MainDialog.ActiveSkillProperty"

    def __init__(
        self,
        conversation_state: ConversationState,
        conversation_id_factory: ConversationIdFactoryBase,
        skill_client,
        skills_config: SkillConfiguration,
        configuration: DefaultConfig,
    ):
        super(MainDialog, self).__init__(MainDialog.__name__)

        self._selected_skill_key = f"{MainDialog.__module__}.{MainDialog.__name__}.SelectedSkill"
        self._skills_config = skills_config

        for skill in skills_config.SKILLS.values():
            options = SkillDialogOptions(
                bot_id=configuration.APP_ID,
                conversation_id_factory=conversation_id_factory,
                skill_client=skill_client,
                skill_host_endpoint=skills_config.SKILL_HOST_ENDPOINT,
                conversation_state=conversation_state,
                skill=skill,
            )
            self.add_dialog(SkillDialog(options, skill.id))
        self.add_dialog(ChoicePrompt("ActionPrompt", self._action_validator))
        self.add_dialog(
            WaterfallDialog(
                WaterfallDialog.__name__, [self._action_step, self._call_step, self._final_step]
            )
        )
        self._active_skill_property = conversation_state.create_property(
            MainDialog.ACTIVE_SKILL_PROPERTY_NAME
        )
        self.initial_dialog_id = WaterfallDialog.__name__

    async def on_continue_dialog(self, inner_dc: DialogContext) -> DialogTurnResult:
        active_skill = await self._active_skill_property.get(inner_dc.context)
        activity = inner_dc.context.activity
        if active_skill and activity.type == ActivityTypes.message and "abort" in activity.text:
            await inner_dc.cancel_all_dialogs()
            return await inner_dc.replace_dialog(self.initial_dialog_id)
        return await super().on_continue_dialog(inner_dc)

    async def _action_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        skill = self._skills_config.SKILLS["Archive"]
        step_context.values[self._selected_skill_key] = skill
        text = str(step_context.options) if step_context.options else "What shall we do?"
        return await step_context.prompt(
            "ActionPrompt",
            PromptOptions(
                prompt=MessageFactory.text(text, text, InputHints.expecting_input),
                choices=[Choice("File"), Choice("File a letter"), Choice("Count")],
            ),
        )

    async def _call_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        skill: BotFrameworkSkill = step_context.values[self._selected_skill_key]
        activity = self._create_activity(step_context.result.value, step_context.context)
        await self._active_skill_property.set(step_context.context, skill)
        return await step_context.begin_dialog(skill.id, BeginSkillDialogOptions(activity))

    async def _final_step(self, step_context: WaterfallStepContext) -> DialogTurnResult:
        skill = await self._active_skill_property.get(step_context.context)
        if step_context.result:
            await step_context.context.send_activity(
                MessageFactory.text(
                    f"{skill.id}: {step_context.result}", input_hint=InputHints.ignoring_input
                )
            )
        step_context.values[self._selected_skill_key] = None
        await self._active_skill_property.delete(step_context.context)
        return await step_context.replace_dialog(self.initial_dialog_id, "What else?")

    async def _action_validator(self, prompt_context: PromptValidatorContext) -> bool:
        if not prompt_context.recognized.succeeded:
            prompt_context.recognized.value = FoundChoice("Message", None, None)
        return True

    def _create_activity(self, action: str, turn_context: TurnContext) -> Activity:
        if action == "Message":
            return turn_context.activity
        activity = Activity(type=ActivityTypes.event, name=action.split(" ")[0])
        if action == "File a letter":
            activity.value = {"name": "a letter"}
        activity.channel_data = turn_context.activity.channel_data
        activity.additional_properties = turn_context.activity.additional_properties
        return activity
