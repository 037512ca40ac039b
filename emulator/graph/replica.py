"""Replica: what Graph shows of an object while a change to it is not known everywhere."""

from collections.abc import Callable, Iterator
from typing import Any

JsonObject = dict[str, Any]


class Replica:
    """Shows objects as they were some seconds ago: Graph is eventually consistent.

    Args:
        clock: returns seconds.
        lag: returns the seconds for which the state before a change is still shown.
    """

    def __init__(self, clock: Callable[[], float], lag: Callable[[], float]) -> None:
        self._clock = clock
        self._lag = lag
        self._earlier: dict[str, list[tuple[float, JsonObject | None]]] = {}

    def remember(self, object_id: str, before: JsonObject | None) -> None:
        """Note that an object is changed now.

        Args:
            object_id: GUID.
            before: the object before the change; None: it did not exist.
        """
        until = self._clock() + self._lag()
        self._earlier.setdefault(object_id, []).append((until, before))

    def shown(self, object_id: str, current: JsonObject | None) -> JsonObject | None:
        """The object as it is shown now; None: it is not found.

        Args:
            object_id: GUID.
            current: the object as it is; None: it does not exist.
        """
        now = self._clock()
        kept = [entry for entry in self._earlier.get(object_id, ()) if entry[0] > now]
        self._earlier[object_id] = kept
        return kept[0][1] if kept else current

    def object_ids(self) -> Iterator[str]:
        """Ids of the objects that have changed, deleted ones too."""
        return iter(list(self._earlier))
