"""Replica: what Graph shows of an object while a change to it is not known everywhere."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from bot_workbench.emulator.entra.directory import Propagation

JsonObject = dict[str, Any]


class Replica:
    """Answers as two servers in turn: Graph is eventually consistent.

    For some seconds after a change of an object, one of them shows it as it was before. The reads
    of an object alternate between them, so that a client sees a change, and then no longer.

    Args:
        clock: returns seconds.
        propagation: `graph` and `alternates` apply.
    """

    def __init__(self, clock: Callable[[], float], propagation: Propagation) -> None:
        self._clock = clock
        self._propagation = propagation
        self._earlier: dict[str, list[tuple[float, JsonObject | None]]] = {}
        self._reads: Counter[str] = Counter()
        self._shown: set[str] = set()

    def start_request(self) -> None:
        """Let the next reads of an object be one read: a request is answered by one server."""
        self._shown.clear()

    def remember(self, object_id: str, before: JsonObject | None) -> None:
        """Note that an object is changed now; the next request shows it as before.

        Args:
            object_id: GUID.
            before: the object before the change; None: it did not exist.
        """
        until = self._clock() + self._propagation.graph
        self._earlier.setdefault(object_id, []).append((until, before))
        self._reads[object_id] = 0

    def shown(self, object_id: str, current: JsonObject | None) -> JsonObject | None:
        """The object as it is shown now; None: it is not found.

        Args:
            object_id: GUID.
            current: the object as it is; None: it does not exist.
        """
        now = self._clock()
        kept = [entry for entry in self._earlier.get(object_id, ()) if entry[0] > now]
        self._earlier[object_id] = kept
        if object_id not in self._shown:
            self._shown.add(object_id)
            self._reads[object_id] += 1
        is_behind = self._reads[object_id] % 2 == 1 or not self._propagation.alternates
        return kept[0][1] if kept and is_behind else current

    def object_ids(self) -> Iterator[str]:
        """Ids of the objects that have changed, deleted ones too."""
        return iter(list(self._earlier))
