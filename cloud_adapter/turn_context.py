"""TurnContext: botbuilder's, with a cheaper copy of what a bot sends, and no litter.

botbuilder copies each outgoing activity before it addresses it, so that the bot's own stays as it
is. `copy.deepcopy` does not know what an activity is made of, and takes most of that time to find
out; nearly all of it are None and texts, which need no copy.
"""

import copy
import datetime
import enum
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import TurnContext as TurnContextBase
from botbuilder.schema import Activity, ResourceResponse
from msrest.serialization import Model

from cloud_adapter.attribute_map import is_sdk_model

_IMMUTABLE = {
    *(str, int, float, bool, type(None), bytes),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
}


class TurnContext(TurnContextBase):  # type: ignore[misc]  # untyped SDK base
    """The context of one turn. See botbuilder's."""

    async def send_activities(self, activities: list[Activity]) -> list[ResourceResponse]:
        """Send activities to the conversation; they stay as they are."""
        responses: list[ResourceResponse] = await super().send_activities(
            [_Outgoing(activity) for activity in activities]
        )
        return responses

    async def _emit(self, plugins: list[Any], arg: Any, logic: Awaitable[Any]) -> Any:
        # The base makes a function that calls itself, even when nobody listens. Such a circle keeps
        # the whole turn in memory until the garbage collector comes, a tenth of a turn's cost.
        return await (super()._emit(plugins, arg, logic) if plugins else logic)


class _Outgoing:
    """An activity that is copied in our way where the base makes its deep copy."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return independent_copy(self._activity)


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
