"""A city tour: an ActivityHandler of the Agents SDK, whose turns share its state objects."""

import asyncio
import io
import logging

from microsoft_agents.hosting.core import (
    ActivityHandler,
    ConversationState,
    MemoryStorage,
    TurnContext,
    UserState,
)

STORAGE = MemoryStorage()
LOG = logging.getLogger("microsoft_agents.tour")
LINES = io.StringIO()
for each in (LOG, LOG.parent):
    each.addHandler(logging.StreamHandler(LINES))  # as samples do, to see the SDK's lines
LOG.parent.setLevel(logging.INFO)


class Tour(ActivityHandler):
    """Counts the stops of each group."""

    def __init__(self) -> None:
        self.group = ConversationState(STORAGE)
        self.guest = UserState(STORAGE)
        self.stops = self.group.create_property("stops")
        self.seen = self.guest.create_property("seen")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        if turn_context.activity.text.startswith("log "):
            LOG.info("%s is not to be logged", turn_context.activity.text)
            LOG.warning("the guest tells %s", turn_context.activity.text)
        stops = await self.stops.get(turn_context, lambda: [])
        await asyncio.sleep(0)
        stops.append(turn_context.activity.text)
        await self.stops.set(turn_context, stops)
        await self.seen.set(turn_context, (await self.seen.get(turn_context, lambda: 0)) + 1)
        await turn_context.send_activity(" ".join(stops))
        await self.group.save(turn_context)
        await self.guest.save(turn_context)


def create_bot(services):
    return Tour()
