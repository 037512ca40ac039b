import json
import os

from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Attachment, CardAction, HeroCard
from botbuilder.schema.teams import (
    TaskModuleMessageResponse,
    TaskModuleRequest,
    TaskModuleResponse,
    TaskModuleTaskInfo,
)

from config import DefaultConfig
from models import FORMS, FormResponseFactory


class FormsBot(TeamsActivityHandler):
    def __init__(self, config: DefaultConfig):
        self.__base_url = config.BASE_URL

    async def on_message_activity(self, turn_context: TurnContext):
        buttons = [
            CardAction(
                type="invoke",
                title=form.title,
                value=json.dumps({"type": "task/fetch", "data": form.id}),
            )
            for form in FORMS.values()
        ]
        card = CardFactory.hero_card(HeroCard(title="Forms", buttons=buttons))
        await turn_context.send_activity(MessageFactory.list([card]))

    async def on_teams_task_module_fetch(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        form = FORMS[task_module_request.data["data"]]
        task_info = TaskModuleTaskInfo(height=form.height, width=form.width, title=form.title)
        if form.is_page:
            task_info.url = task_info.fallback_url = f"{self.__base_url}/{form.id}.html"
        else:
            task_info.card = FormsBot.__create_card()
        return FormResponseFactory.to_task_module_response(task_info)

    async def on_teams_task_module_submit(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        await turn_context.send_activity(
            MessageFactory.text(f"Filed: {json.dumps(task_module_request.data)}")
        )
        return TaskModuleResponse(task=TaskModuleMessageResponse(value="Thank you"))

    @staticmethod
    def __create_card() -> Attachment:
        with open(os.path.join(os.getcwd(), "resources/address.json"), "rb") as in_file:
            return CardFactory.adaptive_card(json.load(in_file))
