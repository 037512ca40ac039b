from typing import Awaitable, Callable, List

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ResourceResponse


class LoggerMiddleware(Middleware):
    def __init__(self, label: str = None):
        self._label = label or LoggerMiddleware.__name__

    async def on_turn(self, context: TurnContext, logic: Callable[[TurnContext], Awaitable]):
        if context.activity.type != ActivityTypes.event:
            print(f"{self._label} {context.activity.type}")
        context.on_send_activities(self._outgoing_handler)
        await logic()

    async def _outgoing_handler(
        self,
        context: TurnContext,
        activities: List[Activity],
        logic: Callable[[TurnContext], Awaitable[List[ResourceResponse]]],
    ):
        for activity in activities:
            print(f"{self._label} sends {activity.type}")
        return await logic()
