"""TypingIndicator: the user sees that the bot is at work while a turn takes its time."""

import asyncio
from collections.abc import Awaitable, Callable

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes


class TypingIndicator(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Sends typing activities during message turns that last.

    The SDK's ShowTypingMiddleware goes on for ever after a turn that raised; this one ends with
    its turn.

    Args:
        delay: seconds before the first one; quick turns send none.
        period: seconds between two: channels show one for about three.
    """

    def __init__(self, delay: float = 0.5, period: float = 2.5) -> None:
        self._delay = delay
        self._period = period

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, with the indicator beside it."""
        activity = context.activity
        if (
            activity.type != ActivityTypes.message
            or activity.delivery_mode == DeliveryModes.expect_replies
        ):
            await logic()
            return
        shown: list[asyncio.Task[None]] = []
        # Most turns are quick: they pay for a timer, not for a task.
        timer = asyncio.get_running_loop().call_later(
            self._delay, lambda: shown.append(asyncio.create_task(self._show(context)))
        )
        try:
            await logic()
        finally:
            timer.cancel()
            for indicator in shown:
                indicator.cancel()
                # A typing activity that could not be sent is nobody's loss: its error ends here.
                await asyncio.gather(indicator, return_exceptions=True)

    async def _show(self, context: TurnContext) -> None:
        while True:
            # Past the context, which would count it as the bot's response (`responded`).
            typing = TurnContext.apply_conversation_reference(
                Activity(type=ActivityTypes.typing),
                TurnContext.get_conversation_reference(context.activity),
            )
            await context.adapter.send_activities(context, [typing])
            await asyncio.sleep(self._period)
