"""BookingBot: books a room in a task module."""

from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Attachment, CardAction, HeroCard
from botbuilder.schema.teams import (
    TaskModuleContinueResponse,
    TaskModuleMessageResponse,
    TaskModuleRequest,
    TaskModuleResponse,
    TaskModuleTaskInfo,
)


class BookingBot(TeamsActivityHandler):
    """Shows a button that opens a window with a form."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Show the button that opens the task module."""
        opens = {"type": "task/fetch"}
        button = CardAction(type="invoke", title="Book a room", value=opens)
        card = CardFactory.hero_card(HeroCard(title="Rooms", buttons=[button]))
        await turn_context.send_activity(MessageFactory.attachment(card))

    async def on_teams_task_module_fetch(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        """The content of the window."""
        window = TaskModuleTaskInfo(title="Book a room", height=250, width=400, card=form())
        return TaskModuleResponse(task=TaskModuleContinueResponse(value=window))

    async def on_teams_task_module_submit(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        """Book the room that the user has entered; the window then shows a text."""
        room = (task_module_request.data or {}).get("room") or "no room"
        await turn_context.send_activity(f"Booked: {room}")
        return TaskModuleResponse(task=TaskModuleMessageResponse(value="Thank you."))


def form() -> Attachment:
    """The Adaptive Card in the window."""
    return CardFactory.adaptive_card(
        {
            "type": "AdaptiveCard",
            "version": "1.5",
            "body": [{"type": "Input.Text", "id": "room", "label": "Room"}],
            "actions": [{"type": "Action.Submit", "title": "Book"}],
        }
    )
