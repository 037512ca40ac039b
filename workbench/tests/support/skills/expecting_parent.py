"""A parent whose SkillDialog gets the skill's replies in the response to its call."""

EXPECTING = '''
from botbuilder.core import ActivityHandler
from botbuilder.core.skills import BotFrameworkSkill
from botbuilder.dialogs import ComponentDialog, DialogExtensions, WaterfallDialog
from botbuilder.dialogs.skills import BeginSkillDialogOptions, SkillDialog, SkillDialogOptions
from botbuilder.schema import Activity


class MainDialog(ComponentDialog):
    """Calls the skill with what the user says, and says what the skill returns."""

    def __init__(self, services):
        super().__init__("MainDialog")
        settings = services.settings
        options = SkillDialogOptions(
            bot_id=services.app_id,
            skill_client=services.skill_client,
            skill_host_endpoint=settings["SkillHostEndpoint"],
            skill=BotFrameworkSkill("echo", settings["SkillAppId"], settings["SkillEndpoint"]),
            conversation_id_factory=services.skill_conversations,
            conversation_state=services.conversation_state,
        )
        self.add_dialog(SkillDialog(options, "echo"))
        self.add_dialog(WaterfallDialog("steps", [self._call, self._end]))
        self.initial_dialog_id = "steps"

    async def _call(self, step):
        activity = Activity(
            type="message", text=step.context.activity.text, delivery_mode="expectReplies"
        )
        return await step.begin_dialog("echo", BeginSkillDialogOptions(activity))

    async def _end(self, step):
        await step.context.send_activity(f"Result: {step.result}")
        return await step.end_dialog()


class Parent(ActivityHandler):
    """Runs the dialog."""

    def __init__(self, services):
        self._state = services.conversation_state.create_property("dialog")
        self._dialog = MainDialog(services)

    async def on_message_activity(self, turn_context):
        await DialogExtensions.run_dialog(self._dialog, turn_context, self._state)


def create_bot(services):
    return Parent(services)
'''
