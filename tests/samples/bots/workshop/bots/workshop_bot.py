import json
import os.path
from typing import List

from botbuilder.core import MessageFactory, TurnContext
from botbuilder.schema import Attachment, ChannelAccount
from helpers.dialog_helper import DialogHelper

from .dialog_bot import DialogBot


class WorkshopBot(DialogBot):
    async def on_members_added_activity(
        self, members_added: List[ChannelAccount], turn_context: TurnContext
    ):
        for member in members_added:
            if member.id != turn_context.activity.recipient.id:
                card = MessageFactory.attachment(self.create_opening_hours())
                await turn_context.send_activity(card)
                await DialogHelper.run_dialog(
                    self.dialog,
                    turn_context,
                    self.conversation_state.create_property("DialogState"),
                )

    def create_opening_hours(self):
        folder = os.path.abspath(os.path.dirname(__file__))
        with open(os.path.join(folder, "../cards/openingHours.json")) as in_file:
            card = json.load(in_file)
        return Attachment(content_type="application/vnd.microsoft.card.adaptive", content=card)
