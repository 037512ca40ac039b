"""ShowTypingMiddleware: shows the user that the bot is working on a long turn.

`import_bot_sdk` replaces botbuilder's class with this one. botbuilder's starts a task for each
message, does not stop if a turn raises, and may send after the turn.
"""

import asyncio
from collections.abc import Awaitable, Callable

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from cloud_adapter.activities import is_from_bot


class ShowTypingMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Sends typing activities during long message turns.

    It stops with its turn. As in the SDK, a bot that runs as a skill shows no typing.

    Args:
        delay: seconds before the first typing activity; short turns send none.
        period: seconds between typing activities; channels show one for about three seconds.

    Attributes:
        enabled: whether to send typing activities.

    Raises:
        ValueError: the delay is negative, or the period is not positive.
    """

    def __init__(self, delay: float = 0.5, period: float = 2.5) -> None:
        if delay < 0 or period <= 0:
            raise ValueError("delay must not be negative, and period must be positive")
        self.enabled = True
        self._delay = delay
        self._period = period

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and show the indicator meanwhile."""
        activity = context.activity
        if (
            not self.enabled
            or activity.type != ActivityTypes.message
            or is_from_bot(activity)  # the parent decides what its users see
            or activity.delivery_mode == DeliveryModes.expect_replies
        ):
            await logic()
            return
        tasks: list[asyncio.Task[None]] = []
        # A timer is cheaper than a task, and most turns end before it fires.
        timer = asyncio.get_running_loop().call_later(
            self._delay, lambda: tasks.append(asyncio.create_task(self._show(context)))
        )
        try:
            await logic()
        finally:
            timer.cancel()
            for task in tasks:
                task.cancel()
                # The turn must not fail if a typing activity cannot be sent.
                await asyncio.gather(task, return_exceptions=True)

    async def _show(self, context: TurnContext) -> None:
        while True:
            # Not through the context, which would count it as the bot's response (`responded`).
            typing = TurnContext.apply_conversation_reference(
                Activity(type=ActivityTypes.typing, relates_to=context.activity.relates_to),
                TurnContext.get_conversation_reference(context.activity),
            )
            await context.adapter.send_activities(context, [typing])
            await asyncio.sleep(self._period)
