from typing import List

from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import Activity, ConversationReference


class DialogHostAdapter(BotAdapter):
    def __init__(self):
        super(DialogHostAdapter, self).__init__()
        self.activities = []

    async def send_activities(self, context: TurnContext, activities: List[Activity]):
        self.activities.extend(activities)
        return []

    async def update_activity(self, context: TurnContext, activity: Activity):
        raise NotImplementedError

    async def delete_activity(self, context: TurnContext, reference: ConversationReference):
        raise NotImplementedError
