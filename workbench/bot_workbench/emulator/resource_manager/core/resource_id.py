"""ResourceId: the parts of a resource's id, which Resource Manager compares in any case."""

from dataclasses import dataclass
from functools import cached_property

PROVIDERS = "/providers/"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"


@dataclass(frozen=True)
class ResourceId:
    """The path of a resource, of a collection of resources, or of an action on a resource.

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

    @property
    def namespace(self) -> str:
        """The resource provider, for example `Microsoft.Web`; empty for a group."""
        return self._segments[0] if self._segments else ""

    @property
    def is_collection(self) -> bool:
        """The path ends in a type, or an action, and not in a resource's name."""
        if self._segments:
            return len(self._segments) % 2 == 0
        return len(self._path) % 2 == 1

    @cached_property
    def _path(self) -> list[str]:
        """Segments of a path without provider: `subscriptions`, GUID, `resourceGroups`, name."""
        return self.text.strip("/").split("/")

    @property
    def last(self) -> str:
        """The last segment: a resource's name, a type or an action."""
        return self.text.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The resource's own name, without those of its parents."""
        return self.last

    @cached_property
    def type(self) -> str:
        """The resource type, for example `Microsoft.Web/sites/config`; without an action."""
        if self._segments:
            return "/".join([self._segments[0], *self._segments[1::2]])
        return GROUP_TYPE if len(self._path) > 2 else SUBSCRIPTION_TYPE

    @cached_property
    def full_name(self) -> str:
        """Names of the parents and the resource, as messages have them: `site/appsettings`."""
        return "/".join(self._segments[2::2]) if self._segments else self.last

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
        segments = self.text.strip("/").split("/")
        lowered = [segment.lower() for segment in segments]
        place = lowered.index(word) + 1 if word in lowered else len(segments)
        return segments[place] if place < len(segments) else ""
