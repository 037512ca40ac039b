"""What exists in the local Azure: resources, their ids, and the store that has them."""

import copy
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

JsonObject = dict[str, Any]

PROVIDERS = "/providers/"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"

LOCATIONS = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "eastus": "East US",
    "eastus2": "East US 2",
    "swedencentral": "Sweden Central",
    "germanywestcentral": "Germany West Central",
}
"""Display names of regions."""


def is_guid(text: str) -> bool:
    """Whether a text is a GUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def region(location: object) -> str:
    """The name of a region; clients may send its display name instead: `West Europe`."""
    return str(location).replace(" ", "").lower()


@dataclass(frozen=True)
class ResourceId:
    """The path of a resource, of a collection of resources, or of an action on a resource.

    Resource Manager compares them in any case.

    Attributes:
        text: the path as written, without a slash at the end.
    """

    text: str

    @cached_property
    def key(self) -> str:
        """Equal for ids that differ only in case."""
        return self.text.lower()

    @cached_property
    def _cut(self) -> int:
        """Where the last `/providers/` is: an extension resource's scope has one of its own."""
        return self.key.rfind(PROVIDERS)

    @cached_property
    def scope(self) -> str:
        """The parent of the resource: a subscription, a group, a resource, or "" for none."""
        return self.text if self._cut < 0 else self.text[: self._cut]

    @cached_property
    def _segments(self) -> list[str]:
        """Namespace, then types and names by turns."""
        return [] if self._cut < 0 else self.text[self._cut + len(PROVIDERS) :].split("/")

    @cached_property
    def _path(self) -> list[str]:
        """Segments of a path without provider: `subscriptions`, GUID, `resourceGroups`, name."""
        return self.text.strip("/").split("/")

    @property
    def namespace(self) -> str:
        """The resource provider, for example `Microsoft.Web`; empty for a group."""
        return self._segments[0] if self._segments else ""

    @property
    def is_collection(self) -> bool:
        """The path ends in a type, or an action, and not in a resource's name."""
        return len(self._segments) % 2 == 0 if self._segments else len(self._path) % 2 == 1

    @property
    def name(self) -> str:
        """The last segment: a resource's own name, a type or an action."""
        return self.text.rpartition("/")[2]

    @cached_property
    def type(self) -> str:
        """The resource type, for example `Microsoft.Web/sites/config`; without an action."""
        if self._segments:
            return "/".join([self._segments[0], *self._segments[1::2]])
        return GROUP_TYPE if len(self._path) > 2 else SUBSCRIPTION_TYPE

    @cached_property
    def full_name(self) -> str:
        """Names of the parents and the resource, as messages have them: `site/appsettings`."""
        return "/".join(self._segments[2::2]) if self._segments else self.name

    @cached_property
    def parent(self) -> "ResourceId":
        """The resource that a child resource, a collection or an action belongs to."""
        return ResourceId(self.text.rsplit("/", 1 if self.is_collection else 2)[0])

    @property
    def is_child(self) -> bool:
        """A resource below another one of the same provider."""
        return len(self._segments) > 3

    @cached_property
    def subscription_id(self) -> str:
        """GUID; empty outside a subscription."""
        return self._after("subscriptions")

    @cached_property
    def group_name(self) -> str:
        """The resource group's name; empty outside a group."""
        return self._after("resourcegroups")

    @property
    def group_id(self) -> str:
        """The resource group's id, lower-cased; empty outside a group."""
        if not self.group_name:
            return ""
        return f"/subscriptions/{self.subscription_id}/resourcegroups/{self.group_name}".lower()

    def _after(self, word: str) -> str:
        lowered = self.key.strip("/").split("/")
        place = lowered.index(word) + 1 if word in lowered else len(lowered)
        return self._path[place] if place < len(lowered) else ""


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
