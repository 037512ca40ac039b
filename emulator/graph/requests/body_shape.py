"""The shape of requests to Graph: which properties are objects, lists and texts."""

import json
from typing import Any

from aiohttp import web

from emulator.graph.errors import bad_request

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


async def json_object(request: web.Request) -> JsonObject:
    """The JSON object in a request's body; empty if there is no body.

    Raises:
        GraphError: 400, the body is something else, or a property has a wrong type.
    """
    if not request.can_read_body:
        return {}
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise bad_request("Unable to read JSON request payload.", "BadRequest") from error
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload.", "BadRequest")
    check_shape(body)
    return body


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
