"""TurnContext: botbuilder's, but sending takes less time, and leaves no reference cycle behind.

botbuilder makes a deep copy of each outgoing activity before it addresses it, so that the bot's own
does not change. `copy.deepcopy` spends most of its time on inspecting values. Nearly all values of
an activity are None or strings, which need no copy.
"""

import copy
import datetime
import enum
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext as TurnContextBase
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    DeliveryModes,
    InputHints,
    ResourceResponse,
)
from botframework.connector import Channels
from msrest.serialization import Model

from cloud_adapter.codec.attribute_map import is_sdk_model

_IMMUTABLE = {
    *(str, int, float, bool, type(None), bytes),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
}


class TurnContext(TurnContextBase):  # type: ignore[misc]  # untyped SDK base
    """The context of one turn. See botbuilder's."""

    async def send_activities(self, activities: list[Activity]) -> list[ResourceResponse]:
        """Send copies of activities to the conversation; the originals do not change.

        This does what the base does, but copies activities with `independent_copy`, and makes no
        conversation reference.
        """
        outgoing = [self._addressed(activity) for activity in activities]
        responds = any(activity.type != ActivityTypes.trace for activity in outgoing)
        responses: list[ResourceResponse] = await self._emit(
            self._on_send_activities, outgoing, self._send_or_buffer(outgoing, responds=responds)
        )
        return responses

    def _addressed(self, activity: Activity) -> Activity:
        """A copy of an activity, addressed as a reply to the incoming one."""
        incoming, reply = self.activity, independent_copy(activity)
        reply.channel_id = incoming.channel_id
        reply.locale = incoming.locale
        reply.service_url = incoming.service_url
        reply.conversation = _account_copy(incoming.conversation)
        reply.from_property = _account_copy(incoming.recipient)
        reply.recipient = _account_copy(incoming.from_property)
        if incoming.id and _replies_name_its_id(incoming):
            reply.reply_to_id = incoming.id
        reply.type = reply.type or ActivityTypes.message
        reply.input_hint = reply.input_hint or InputHints.accepting_input.value
        reply.id = None
        return reply

    async def _send_or_buffer(
        self, outgoing: list[Activity], *, responds: bool
    ) -> list[ResourceResponse]:
        """Send addressed activities, or buffer them if the caller expects them in the response."""
        if self.activity.delivery_mode == DeliveryModes.expect_replies:
            responses = [self._buffer(activity) for activity in outgoing]
        else:
            responses = await self.adapter.send_activities(self, outgoing)
        if responds:
            self.responded = True
        return responses

    def _buffer(self, activity: Activity) -> ResourceResponse:
        self.buffered_reply_activities.append(activity)
        if activity.type == ActivityTypes.invoke_response:
            self.turn_state[self._INVOKE_RESPONSE_KEY] = activity
        return ResourceResponse()

    async def _emit(self, plugins: list[Any], arg: Any, logic: Awaitable[Any]) -> Any:
        # The base makes a function that refers to itself, even if no handler is registered. This
        # reference cycle keeps the turn in memory until the next garbage collection: a tenth of a
        # turn's cost.
        return await (super()._emit(plugins, arg, logic) if plugins else logic)


_CHANNELS_WITHOUT_REPLY_TO_ID = {Channels.direct_line, Channels.webchat}


def _replies_name_its_id(activity: Activity) -> bool:
    """Whether replies carry its id, by the rule of the base's `get_conversation_reference`."""
    return (
        activity.type != ActivityTypes.conversation_update
        and activity.channel_id not in _CHANNELS_WITHOUT_REPLY_TO_ID
    )


def _account_copy(account: Any) -> Any:
    """A shallow copy of an account, like the base's `copy.copy`, but much faster."""
    if account is None:
        return None
    twin = account.__class__.__new__(account.__class__)
    twin.__dict__ = account.__dict__.copy()
    return twin


def independent_copy(value: Any) -> Any:
    """What copy.deepcopy makes of an activity: equal, with nothing in it that both could change."""
    try:
        return _copied(value)
    except RecursionError:  # it holds itself, which deepcopy can follow
        return copy.deepcopy(value)


def _copied(value: Any) -> Any:
    kind: type = type(value)
    return _copier(kind)(value)


@functools.cache
def _copier(kind: type) -> Callable[[Any], Any]:
    """How values of exactly this type are copied."""
    if kind in _IMMUTABLE or issubclass(kind, enum.Enum):
        return _itself
    if kind is list:
        return _copied_list
    if kind is dict:
        return _copied_dict
    # A model of the bot's own may say itself how it is copied.
    return _copied_model if issubclass(kind, Model) and is_sdk_model(kind) else copy.deepcopy


def _itself(value: Any) -> Any:
    return value


def _copied_list(items: Any) -> Any:
    return [item if type(item) is str else _copied(item) for item in items]


def _copied_dict(items: Any) -> Any:
    # Keys are immutable, or Python would not take them.
    return {key: item if type(item) is str else _copied(item) for key, item in items.items()}


def _copied_model(model: Any) -> Any:
    twin = model.__class__.__new__(model.__class__)
    values = twin.__dict__ = model.__dict__.copy()
    for name, value in values.items():
        if value is not None and type(value) is not str:
            values[name] = _copied(value)
    return twin
