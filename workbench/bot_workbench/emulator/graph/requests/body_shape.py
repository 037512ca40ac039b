"""The shape of requests to Graph: which properties are objects, lists and texts, of which type."""

import json
from typing import Any

from aiohttp import web

from bot_workbench.emulator.graph.errors import bad_request
from bot_workbench.emulator.graph.requests.entity_type import ENTITY_TYPES

JsonObject = dict[str, Any]

SHAPE: dict[str, Any] = {
    "api": {"requestedAccessTokenVersion": int},
    "appId": str,
    "displayName": str,
    "identifierUris": [str],
    "ids": [str],
    "keyCredential": {},
    "keyId": str,
    "notes": str,
    "passwordCredential": {"displayName": str, "endDateTime": str, "startDateTime": str},
    "passwordCredentials": [{}],
    "proof": str,
    "signInAudience": str,
    "tags": [str],
    "types": [str],
    "web": {},
}
"""A type for each value; in a list, the shape of its items; in an object, those of its members."""

TYPE = "@odata.type"
REFERENCE = "@odata.id"
"""URL of an object, which is all that a reference has."""

GRAPH_TYPE = "microsoft.graph."
TYPES = {
    "addIns": "addIn",
    "api": "apiApplication",
    "appRoles": "appRole",
    "implicitGrantSettings": "implicitGrantSettings",
    "info": "informationalUrl",
    "keyCredential": "keyCredential",
    "keyCredentials": "keyCredential",
    "oauth2PermissionScopes": "permissionScope",
    "optionalClaims": "optionalClaims",
    "parentalControlSettings": "parentalControlSettings",
    "passwordCredential": "passwordCredential",
    "passwordCredentials": "passwordCredential",
    "preAuthorizedApplications": "preAuthorizedApplication",
    "publicClient": "publicClientApplication",
    "requiredResourceAccess": "requiredResourceAccess",
    "resourceAccess": "resourceAccess",
    "spa": "spaApplication",
    "web": "webApplication",
}
"""Types of objects by the property that has them, or a list of them (Graph reference, v1.0)."""


async def json_object(request: web.Request, kind: str) -> JsonObject:
    """The JSON object in a request's body, without annotations; empty if there is no body.

    Args:
        request: has the body.
        kind: the body's type, such as `application`; empty: it is a reference, or an action's
            parameters.

    Raises:
        GraphError: 400, the body is something else, or a property has a wrong type.
    """
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise bad_request("Unable to read JSON request payload.", "BadRequest") from error
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload.", "BadRequest")
    plain: JsonObject = without_annotations(body, kind)
    check_shape(plain)
    return plain


def without_annotations(value: Any, kind: str) -> Any:
    """A value without OData's annotations, such as `@odata.type`, which the SDKs send, but for the
    URL of a reference.

    Args:
        value: JSON.
        kind: its type, which `@odata.type` must name if it is there; empty: any.

    Raises:
        GraphError: 400, Graph has no such type, or the value must have another one.
    """
    if isinstance(value, list):
        return [without_annotations(each, kind) for each in value]
    if not isinstance(value, dict):
        return value
    if kind and TYPE in value:
        _check_type(str(value[TYPE]), kind)
    return {
        name: without_annotations(each, TYPES.get(name, ""))
        for name, each in value.items()
        if "@odata." not in name or (name == REFERENCE and not kind)
    }


def _check_type(sent: str, kind: str) -> None:
    name, expected = sent.removeprefix("#"), GRAPH_TYPE + kind
    if name == expected:
        return
    entities = {each.name for each in ENTITY_TYPES.values()}
    if name.removeprefix(GRAPH_TYPE) in entities | set(TYPES.values()):
        raise bad_request(
            f"A resource with type '{name}' was found, but it is not assignable to the expected "
            f"type '{expected}'. The type specified in the resource must be equal to either the "
            "expected type or a derived type."
        )
    raise bad_request(
        f"A type named '{name}' could not be resolved by the model. When a model is available, "
        "each type name must resolve to a valid type."
    )


def check_shape(body: JsonObject) -> None:
    """Pass a body whose properties have the types of SHAPE; null fits, but in a list.

    Raises:
        GraphError: 400, naming the property.
    """
    for name, shape in SHAPE.items():
        if not _fits(body.get(name), shape):
            raise bad_request(f"Invalid value specified for property '{name}' of resource.")


def _fits(value: Any, shape: Any) -> bool:
    if value is None:
        return True
    if isinstance(shape, dict):
        members = shape.items()
        return isinstance(value, dict) and all(_fits(value.get(key), each) for key, each in members)
    if isinstance(shape, list):
        return isinstance(value, list) and all(
            item is not None and _fits(item, shape[0]) for item in value
        )
    return isinstance(value, shape)
