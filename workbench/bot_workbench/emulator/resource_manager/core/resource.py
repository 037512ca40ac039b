"""Resource and ResourceStore: what exists in the local Azure."""

import copy
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId

JsonObject = dict[str, Any]

NOT_STORED = ("id", "name", "type", "etag")
"""Members of a body that the service makes itself."""


@dataclass
class Resource:
    """One resource.

    Attributes:
        id: as Azure writes it; compared in any case.
        type: with its canonical case, for example `Microsoft.Web/sites`.
        body: what it consists of, without id, name and type.
        hidden: what no GET returns: keys, settings, connection secrets.
        etag: new after each write; not every type returns it.
        created: seconds of the store's clock.
    """

    id: str
    type: str
    body: JsonObject
    hidden: JsonObject = field(default_factory=dict)
    etag: str = ""
    created: float = 0.0

    def __post_init__(self) -> None:
        self.touch()

    def touch(self) -> None:
        """Make a new etag, as each write does."""
        self.etag = f'"{uuid.uuid4()}"'

    @property
    def name(self) -> str:
        """The last segment of the id."""
        return ResourceId(self.id).name

    @property
    def properties(self) -> JsonObject:
        """The body's `properties`, made if there are none."""
        properties: JsonObject = self.body.setdefault("properties", {})
        return properties

    def answer(self) -> JsonObject:
        """The JSON that a GET returns, as a copy."""
        return copy.deepcopy({"id": self.id, "name": self.name, "type": self.type, **self.body})


class ResourceStore:
    """All resources by id, whatever its case.

    Attributes:
        clock: seconds, monotonic; a test may replace it.
        is_trial: what is done now is undone, see `trial`.
        on_remove: called for each resource that was removed, with its group or parent, too.
    """

    def __init__(self) -> None:
        self.on_remove: Callable[[Resource], None] = lambda _: None
        self.clock: Callable[[], float] = time.monotonic
        self.is_trial = False
        self._resources: dict[str, Resource] = {}

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Undo on exit what is done inside; no hook is called."""
        resources, self._resources = self._resources, copy.deepcopy(self._resources)
        self.is_trial = True
        try:
            yield
        finally:
            self._resources, self.is_trial = resources, False

    def __contains__(self, resource_id: str) -> bool:
        return resource_id.lower() in self._resources

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._resources.values()))

    def __len__(self) -> int:
        return len(self._resources)

    def find(self, resource_id: str) -> Resource | None:
        """The resource of this id in any case."""
        return self._resources.get(resource_id.lower())

    def add(self, resource: Resource) -> Resource:
        """Store a resource, in place of one of the same id."""
        known = self.find(resource.id)
        resource.created = self.clock() if known is None else known.created
        self._resources[resource.id.lower()] = resource
        return resource

    def remove(self, resource_id: str) -> list[Resource]:
        """Remove a resource and everything below it.

        Returns:
            What was removed; empty if there was no such resource.
        """
        removed = [self._resources.pop(each.id.lower()) for each in self.within(resource_id)]
        for each in removed if not self.is_trial else ():
            self.on_remove(each)
        return removed

    def within(self, scope: str) -> list[Resource]:
        """The resource of this id and everything below it; "" for everything."""
        start = scope.lower().rstrip("/")
        return [
            each
            for key, each in list(self._resources.items())
            if key == start or key.startswith(f"{start}/")
        ]

    def of_type(self, type_name: str, scope: str = "") -> list[Resource]:
        """Resources of a type in a scope, in the order of their creation."""
        wanted = type_name.lower()
        return [each for each in self.within(scope) if each.type.lower() == wanted]
