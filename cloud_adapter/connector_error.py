"""ConnectorError: a channel's service refused a call, or did not answer."""

import re
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from botbuilder.schema import ErrorResponse, ErrorResponseException

from auth.errors import BotError
from auth.retry_after import retry_after
from cloud_adapter.activity_codec import MalformedModel, read_model

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{,63}")


class ConnectorError(ErrorResponseException, BotError):  # type: ignore[misc]  # untyped SDK base
    """A call to the connector or the token service failed.

    It is botbuilder's own exception too, so that bots which catch `ErrorResponseException` and
    look at `error.error.code` or `response.status_code` go on working.

    Args:
        call: what was called, for the log.
        status: the HTTP status; 0 when there was no answer.
        body: the parsed answer.
        asked: the answer's Retry-After.

    Attributes:
        error: the service's ErrorResponse, or None.
        code: the service's own name for the error; empty: it has none.
        response: has `status_code`.
        retry_after: seconds that the service asks to wait; None: it does not ask.
    """

    def __init__(
        self, call: str, status: int = 0, body: object = None, asked: str | None = None
    ) -> None:
        self.error = _error_response(body)
        self.response = SimpleNamespace(status_code=status)
        self.retry_after = retry_after(asked)
        code = getattr(getattr(self.error, "error", None), "code", None) or ""
        # It is for the log: a service that says more there may quote what it was sent.
        self.code: str = code if _CODE.fullmatch(code) else ""
        said = f" with {self.code}" if self.code else ""
        self.message = f"{call} answered {status}{said}" if status else f"{call} got no answer"
        # Not the base's own: it wants msrest's response object.
        Exception.__init__(self, self.message)


class CallRefused(ConnectorError):
    """A call that must not be made: nothing was sent.

    To the bot it is like a call that the service has refused as a bad request (400).

    Args:
        reason: names the cure.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, HTTPStatus.BAD_REQUEST)
        self.message = reason
        self.args = (reason,)


def _error_response(body: object) -> Any:
    try:
        return read_model(ErrorResponse, body)
    except MalformedModel:
        return None
