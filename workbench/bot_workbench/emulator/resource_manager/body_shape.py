"""The shape of bodies: which members are objects, lists and texts, whatever the resource type."""

from collections.abc import Iterator
from typing import Any

from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.resource import JsonObject

EACH = "*"
"""In a path: every item of a list, or every value of an object."""

SHAPES: dict[str, type] = {
    "location": str,
    "kind": str,
    "operation": str,
    "sku": dict,
    "sku.name": str,
    "sku.tier": str,
    "tags": dict,
    f"tags.{EACH}": str,
    "identity": dict,
    "identity.type": str,
    "identity.userAssignedIdentities": dict,
    f"identity.userAssignedIdentities.{EACH}": dict,
    "properties": dict,
    "properties.assignableScopes": list,
    "properties.displayName": str,
    "properties.endpoint": str,
    "properties.msaAppId": str,
    "properties.parameters": list,
    f"properties.parameters.{EACH}": dict,
    f"properties.parameters.{EACH}.key": str,
    "properties.permissions": list,
    f"properties.permissions.{EACH}": dict,
    f"properties.permissions.{EACH}.{EACH}": list,
    f"properties.permissions.{EACH}.{EACH}.{EACH}": str,
    "properties.properties": dict,
    "properties.properties.sites": list,
    f"properties.properties.sites.{EACH}": dict,
    "properties.serverFarmId": str,
    "properties.siteConfig": dict,
    "properties.siteConfig.appSettings": list,
    f"properties.siteConfig.appSettings.{EACH}": dict,
    f"properties.siteConfig.appSettings.{EACH}.name": str,
    "properties.softDeleteRetentionInDays": int,
    "properties.tags": dict,
}
"""Types by path. A null fits each of them, but for items of lists; so does a missing member."""


def check_shape(body: JsonObject) -> None:
    """Pass a body whose members have the types of SHAPES.

    Raises:
        ArmError: 400 `InvalidRequestContent`, naming the member.
    """
    for path, expected in SHAPES.items():
        for value in _at(body, path.split(".")):
            if value is not None and not isinstance(value, expected):
                raise error(
                    "InvalidRequestContent", reason=f"Error converting the value of '{path}'"
                )


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    """The values at a path; those that are not there, or below another type, are left out."""
    if not path:
        yield value
        return
    head, *rest = path
    if head == EACH:
        items = list(value.values()) if isinstance(value, dict) else value
        for item in items if isinstance(items, list) else ():
            # A null in a list is no item; in an object it is a member that is not there.
            yield from _at(... if item is None and isinstance(value, list) else item, rest)
    elif isinstance(value, dict) and head in value:
        yield from _at(value[head], rest)
