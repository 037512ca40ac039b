from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.dialogs import Dialog

from host import DialogHost
from store import Store


class TillBot(ActivityHandler):
    def __init__(self, store: Store, dialog: Dialog):
        self.store = store
        self.dialog = dialog

    async def on_message_activity(self, turn_context: TurnContext):
        key = (
            f"{turn_context.activity.channel_id}/conversations/"
            f"{turn_context.activity.conversation.id}"
        )
        # Again, if another process has saved in the meantime.
        while True:
            old_state, e_tag = await self.store.load(key)
            activities, new_state = await DialogHost.run(
                self.dialog, turn_context.activity, old_state
            )
            if await self.store.save(key, new_state, e_tag):
                if activities:
                    await turn_context.send_activities(activities)
                break
