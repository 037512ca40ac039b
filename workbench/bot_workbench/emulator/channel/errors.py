"""ChannelError: a refusal by the Bot Connector or Direct Line, and the checks that raise it."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot_workbench.emulator.faults import Handler


class ChannelError(Exception):
    """A refusal, in the error shape of the Bot Framework REST reference (`ErrorResponse`).

    Args:
        status: HTTP status.
        code: the service's code, for example `BadSyntax`.
        message: what is wrong.
        headers: additional response headers.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    def response(self) -> web.Response:
        """The HTTP response."""
        error = {"code": self.code, "message": str(self)}
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


def with_error_responses(handler: Handler) -> Handler:
    """The handler, with each ChannelError as its response."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ChannelError as error:
            return error.response()

    return handle


def bearer_token(request: web.Request) -> str:
    """The token of the `Authorization` header.

    Raises:
        ChannelError: 401, there is none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized()
    return token


def unauthorized() -> ChannelError:
    """A 401 with the challenge of RFC 6750, section 3."""
    message = "Authorization has been denied for this request."
    return ChannelError(401, "Unauthorized", message, {"WWW-Authenticate": "Bearer"})


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's body, a JSON object; an empty body is an empty object.

    Raises:
        ChannelError: 400, the body is something else.
    """
    body = await request.read()
    return parsed_object(body) if body else {}


def parsed_object(text: bytes) -> dict[str, Any]:
    """The JSON object that `text` holds.

    Raises:
        ChannelError: 400, `text` is something else.
    """
    try:
        body = json.loads(text)
    except ValueError:
        raise ChannelError(400, "BadSyntax", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise ChannelError(400, "BadSyntax", "The body is not a JSON object.")
    return body


def checked_activity(activity: dict[str, Any]) -> dict[str, Any]:
    """The same activity, if the channels accept its shape.

    Raises:
        ChannelError: 400, `type` is missing, an account or the conversation is not an object,
            entities or attachments are not a list, or `conversationType` is null; the live
            connectors refuse these, too.
    """
    if not isinstance(activity.get("type"), str) or not activity["type"]:
        raise ChannelError(400, "MissingProperty", "The activity has no 'type'.")
    for name in ("from", "recipient", "conversation"):
        if not isinstance(activity.get(name), dict | None):
            raise ChannelError(400, "BadArgument", f"The activity's '{name}' is not an object.")
    for name in ("entities", "attachments"):
        if not isinstance(activity.get(name), list | None):
            raise ChannelError(400, "BadArgument", f"The activity's '{name}' is not a list.")
    conversation = activity.get("conversation") or {}
    if "conversationType" in conversation and conversation["conversationType"] is None:
        raise ChannelError(400, "BadArgument", "'conversation.conversationType' is null.")
    return activity
