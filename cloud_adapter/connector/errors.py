"""The errors of calls to the channel's services: refused, not answered, or not sent."""

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

    The class derives from botbuilder's own exception too, so that bots that catch
    `ErrorResponseException` and read `error.error.code` or `response.status_code` keep working.

    Args:
        call: a name of the call, for the log.
        status: the HTTP status; 0 if there was no response.
        body: the parsed body of the response.
        asked: the value of the response's Retry-After header, if it has one.
        failure: what happened, for the log, if there was no response that could be read.

    Attributes:
        error: the service's ErrorResponse, or None.
        code: the service's error code; empty if there is none, or if it is not a plain name.
        response: an object with a `status_code`.
        retry_after: seconds that the service asks to wait; None if it does not ask.
    """

    def __init__(
        self,
        call: str,
        status: int = 0,
        body: object = None,
        asked: str | None = None,
        failure: str = "got no answer",
    ) -> None:
        self.error = _error_response(body)
        self.response = SimpleNamespace(status_code=status)
        self.retry_after = retry_after(asked)
        code = getattr(getattr(self.error, "error", None), "code", None) or ""
        # The code is logged, and anything but a short name could quote what was sent.
        self.code: str = code if _CODE.fullmatch(code) else ""
        suffix = f" with {self.code}" if self.code else ""
        self.message = f"{call} answered {status}{suffix}" if status else f"{call} {failure}"
        # Not ErrorResponseException's constructor, which needs msrest's response object.
        Exception.__init__(self, self.message)


class CallRefused(ConnectorError):
    """The bot's code asked for an unsafe or impossible call, which was not sent.

    Args:
        reason: the text, which says what is wrong and how to fix it.
        status: the HTTP status of the response that the bot seems to get.
    """

    def __init__(self, reason: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason, status)
        self.message = reason
        self.args = (reason,)


def _error_response(body: object) -> Any:
    try:
        return read_model(ErrorResponse, body)
    except MalformedModel:
        return None
