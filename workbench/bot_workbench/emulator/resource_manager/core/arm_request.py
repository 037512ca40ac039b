"""ArmRequest and ArmReply: one call, as resource types see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.resource_manager.core.resource import JsonObject
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId

PAGE_SIZE = 1000
"""Maximum number of items in one response, unless the server's `page_size` says otherwise."""


@dataclass(frozen=True)
class ArmCaller:
    """Who calls: the claims of the token that Resource Manager uses.

    Attributes:
        object_id: GUID of the user, service principal or managed identity.
        name: what messages call it: the app id (GUID), or the user's principal name.
    """

    object_id: str
    name: str


@dataclass(frozen=True)
class ArmRequest:
    """One authenticated call.

    Attributes:
        method: GET, HEAD, PUT, PATCH, POST or DELETE.
        id: of the resource, the collection or the action.
        query: its parameters, by names in lower case.
        body: the JSON object that was sent; empty if there was none.
        base_url: where the caller reached this server, without a slash at the end.
    """

    method: str
    id: ResourceId
    query: Mapping[str, str]
    body: JsonObject
    caller: ArmCaller
    base_url: str

    @property
    def properties(self) -> JsonObject:
        """The body's `properties`; empty if there are none."""
        return self.body.get("properties") or {}


@dataclass
class ArmReply:
    """One response.

    Attributes:
        body: JSON; None for a response without content.
        xml: sent instead of JSON, if it is not empty.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    xml: str = ""


def listed(items: list[JsonObject]) -> ArmReply:
    """A collection's response; the server divides it into pages."""
    return ArmReply({"value": items})
