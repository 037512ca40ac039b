"""TypingIndicator: shows the user during a long turn that the bot is working."""

import asyncio
from collections.abc import Awaitable, Callable

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from cloud_adapter.codec.channels import is_from_bot


class TypingIndicator(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Sends typing activities during long message turns.

    The SDK's ShowTypingMiddleware does not stop if a turn raises; this middleware stops with its
    turn.

    Args:
        delay: seconds before the first typing activity; short turns send none.
        period: seconds between typing activities; channels show one for about three seconds.

    Attributes:
        enabled: whether to send any.
    """

    def __init__(self, delay: float = 0.5, period: float = 2.5) -> None:
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
                Activity(type=ActivityTypes.typing),
                TurnContext.get_conversation_reference(context.activity),
            )
            await context.adapter.send_activities(context, [typing])
            await asyncio.sleep(self._period)
