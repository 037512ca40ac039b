"""TurnContext: botbuilder's TurnContext, with faster sending that leaves no reference cycles.

botbuilder makes a deep copy of each outgoing activity and addresses the copy, so that the bot's own
activity does not change. `copy.deepcopy` spends most of its time inspecting values, but nearly all
values of an activity are None or strings, which need no copy.

ShowTypingMiddleware shows the user that the bot is working on a long turn.
"""

import asyncio
import contextlib
import copy
import datetime
import enum
import functools
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any

from botbuilder.core import Middleware
from botbuilder.core import TurnContext as TurnContextBase
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    DeliveryModes,
    InputHints,
    ResourceResponse,
)
from msrest.serialization import Model

from cloud_adapter.activities import account_copy, is_from_bot, is_replied_to
from cloud_adapter.codec import is_sdk_model
from cloud_adapter.home_loop import on_home_loop

_IMMUTABLE = {
    *(str, int, float, bool, type(None), bytes),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
}


class TurnContext(TurnContextBase):  # type: ignore[misc]  # untyped SDK base
    """The context of one turn. For its other members, see botbuilder's TurnContext.

    Attributes:
        arrived_at: when the request arrived that waits for the turn, in event loop time (seconds);
            None: no request waits for it.
        task_context: the contextvars of the task that runs the turn. Calls from other threads run
            in them, and so find what the turn has locked. None outside of an adapter's turn.
        is_last_attempt: if the turn fails, the user hears of it; False: whoever runs the turn gets
            the error, and may run it again.
        has_apologized: the apology has been sent already, in place of an answer.
    """

    arrived_at: float | None = None
    task_context: Context | None = None
    is_last_attempt = True
    has_apologized = False

    @on_home_loop
    async def send_activities(self, activities: list[Activity]) -> list[ResourceResponse]:
        """Send copies of activities to the conversation, or buffer them for the HTTP response.

        As in the base class, handlers registered with `on_send_activities` see the copies first.
        """
        outgoing = [self.addressed(activity) for activity in activities]
        responds = any(activity.type != ActivityTypes.trace for activity in outgoing)
        responses: list[ResourceResponse]
        if self._on_send_activities:
            logic = self._send_or_buffer(outgoing)
            responses = await self._emit(self._on_send_activities, outgoing, logic)
        elif self.activity.delivery_mode == DeliveryModes.expect_replies:
            responses = self._buffered(outgoing)
        else:
            responses = await self.adapter.send_activities(self, outgoing)
        if responds:
            self.responded = True
        return responses

    # Awaited elsewhere, they run on the bot's loop, with the handlers that they call.
    update_activity = on_home_loop(TurnContextBase.update_activity)
    delete_activity = on_home_loop(TurnContextBase.delete_activity)

    def addressed(self, activity: Activity) -> Activity:
        """A copy of an activity, addressed as a reply to the incoming one."""
        incoming, reply = self.activity, independent_copy(activity)
        reply.channel_id = incoming.channel_id
        if reply.locale is None:
            reply.locale = incoming.locale
        reply.service_url = incoming.service_url
        reply.conversation = account_copy(incoming.conversation)
        reply.from_property = account_copy(incoming.recipient)
        reply.recipient = account_copy(incoming.from_property)
        if incoming.id and is_replied_to(incoming):
            reply.reply_to_id = incoming.id
        reply.type = reply.type or ActivityTypes.message
        reply.input_hint = reply.input_hint or InputHints.accepting_input.value
        reply.id = None
        return reply

    async def _send_or_buffer(self, outgoing: list[Activity]) -> list[ResourceResponse]:
        if self.activity.delivery_mode == DeliveryModes.expect_replies:
            return self._buffered(outgoing)
        responses: list[ResourceResponse] = await self.adapter.send_activities(self, outgoing)
        return responses

    def _buffered(self, outgoing: list[Activity]) -> list[ResourceResponse]:
        """Buffer activities for the HTTP response, as the caller expects replies there."""
        self.buffered_reply_activities.extend(outgoing)
        for activity in outgoing:
            if activity.type == ActivityTypes.invoke_response:
                self.turn_state[self._INVOKE_RESPONSE_KEY] = activity
        return [ResourceResponse() for _ in outgoing]

    async def _emit(self, plugins: list[Any], arg: Any, logic: Coroutine[Any, Any, Any]) -> Any:
        # The base class creates a function that refers to itself. This reference cycle keeps the
        # turn in memory until garbage collection, which costs a tenth of a turn's time.
        with contextlib.closing(logic):  # a handler may raise
            await self._call_handlers(tuple(plugins), arg)
            return await logic

    async def _call_handlers(self, handlers: tuple[Any, ...], arg: Any) -> None:
        """Call the first handler. Its last argument calls the others, as in the SDK."""
        if handlers:
            first, *others = handlers
            await first(self, arg, functools.partial(self._call_handlers, tuple(others), arg))


def independent_copy(value: Any) -> Any:
    """A deep copy of an activity, which shares no mutable values with the original."""
    try:
        return _copied(value)
    except RecursionError:  # the activity contains itself, which deepcopy can handle
        return copy.deepcopy(value)


def _copied(value: Any) -> Any:
    kind: type = type(value)
    return _copier(kind)(value)


@functools.cache
def _copier(kind: type) -> Callable[[Any], Any]:
    """The function that copies values of exactly this type."""
    if kind in _IMMUTABLE or issubclass(kind, enum.Enum):
        return _same
    if kind is list:
        return _copied_list
    if kind is dict:
        return _copied_dict
    # A model that the bot defines may also define how it is copied.
    return _copied_model if issubclass(kind, Model) and is_sdk_model(kind) else copy.deepcopy


def _same(value: Any) -> Any:
    return value


def _copied_list(items: Any) -> Any:
    return [item if type(item) is str else _copied(item) for item in items]


def _copied_dict(items: Any) -> Any:
    # Keys are hashable, so they need no copy.
    return {key: item if type(item) is str else _copied(item) for key, item in items.items()}


def _copied_model(model: Any) -> Any:
    copied = model.__class__.__new__(model.__class__)
    values = copied.__dict__ = model.__dict__.copy()
    for name, value in values.items():
        if value is not None and type(value) is not str:
            values[name] = _copied(value)
    return copied


class ShowTypingMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Sends typing activities during long message turns.

    It stops with its turn. As in the SDK, a bot that runs as a skill shows no typing.
    `import_bot_sdk` replaces botbuilder's class with this one: botbuilder's starts a task for each
    message, does not stop if a turn raises, and may send after the turn.

    Args:
        delay: seconds before the first typing activity; short turns send none.
        period: seconds between typing activities; channels show one for about three seconds.

    Attributes:
        enabled: whether to send typing activities.

    Raises:
        ValueError: the delay is negative, or the period is not positive.
    """

    _KEY = "cloud_adapter.ShowTypingMiddleware"

    def __init__(self, delay: float = 0.5, period: float = 2.5) -> None:
        if delay < 0 or period <= 0:
            raise ValueError("delay must not be negative, and period must be positive")
        self.enabled = True
        self._delay = delay
        self._period = period

    async def on_turn(self, context: TurnContextBase, logic: Callable[[], Awaitable[None]]) -> None:
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

        async def stop() -> None:
            timer.cancel()
            for task in tasks:
                task.cancel()
                # The turn must not fail if a typing activity cannot be sent.
                await asyncio.gather(task, return_exceptions=True)

        # A timer is cheaper than a task, and most turns end before it fires.
        timer = asyncio.get_running_loop().call_later(
            self._delay, lambda: tasks.append(asyncio.create_task(self._show(context)))
        )
        context.turn_state[self._KEY] = stop
        try:
            await logic()
        finally:
            context.turn_state.pop(self._KEY, None)
            await stop()

    @staticmethod
    @on_home_loop
    async def stop(context: TurnContextBase) -> None:
        """Stop the indicator of a turn, because something else shows what the bot does."""
        if stop := context.turn_state.get(ShowTypingMiddleware._KEY):
            await stop()

    async def _show(self, context: TurnContextBase) -> None:
        while True:
            # Not through the context, which would count it as the bot's response (`responded`).
            typing = TurnContextBase.apply_conversation_reference(
                Activity(type=ActivityTypes.typing, relates_to=context.activity.relates_to),
                TurnContextBase.get_conversation_reference(context.activity),
            )
            await context.adapter.send_activities(context, [typing])
            await asyncio.sleep(self._period)
