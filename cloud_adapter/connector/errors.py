"""ConnectorError: a channel's service refused a call, or did not answer."""

import re
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from botbuilder.schema import ErrorResponse, ErrorResponseException

from auth.errors import BotError
from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import MalformedModel
from http_client.retry import retry_after

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
        code: the service's error code; empty if it has none, or one that is not a plain name.
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
        # The code is logged: anything longer than a name could quote what was sent.
        self.code: str = code if _CODE.fullmatch(code) else ""
        said = f" with {self.code}" if self.code else ""
        self.message = f"{call} answered {status}{said}" if status else f"{call} got no answer"
        # Not the base's own: it wants msrest's response object.
        Exception.__init__(self, self.message)


class CallRefused(ConnectorError):
    """The bot's code asked for an unsafe call: nothing was sent.

    To the bot, it looks as if the service had answered 400 (Bad Request).

    Args:
        reason: says what is wrong, and what to do.
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
