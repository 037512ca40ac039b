"""Refusal: a request that Azure OpenAI does not carry out, with the body that Azure answers.

Source of codes and shapes: Microsoft's pages on content filters, and responses that users of Azure
OpenAI have published. The sentences are not Azure's.
"""

from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.language_model.content_filter import FILTERED

CONTENT_FILTER = "content_filter"
"""The code if the prompt is filtered."""

NO_ROLE = "PermissionDenied"
"""The code if the caller has no role on the resource. Its status is 401, too."""


class Refusal(Exception):
    """One refusal.

    Args:
        status: HTTP status.
        code: Azure's or the model's, such as `content_filter`; empty: the status's usual one.
        message: what is wrong; empty: the usual sentence.
        param: the part of the request that is wrong, such as `messages[0].role`.

    Attributes:
        headers: additional response headers.
    """

    def __init__(self, status: int, code: str = "", message: str = "", param: str = "") -> None:
        usual_code, usual_message = _STATUSES.get(status, ("", "The request is refused."))
        super().__init__(message or _CODES.get(code) or usual_message)
        self.status = status
        self.headers: Mapping[str, str] = _RETRY if status == 429 else {}
        self._code = code or usual_code
        self._param = param

    def body(self) -> dict[str, Any]:
        """The response's JSON."""
        if self.status == 401 and not self._code:
            # The gateway's: the only body without `error`, so the client's error has no code.
            return {"statusCode": 401, "message": str(self)}
        error: dict[str, Any] = {"code": self._code or None, "message": str(self)}
        if self._code == CONTENT_FILTER:
            error |= {"param": "prompt", "type": None, "status": self.status}
            error["innererror"] = {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": FILTERED,
            }
        elif self.status in _TYPES:
            error |= {"param": self._param or None, "type": _TYPES[self.status]}
        return {"error": error}


_RETRY = {"retry-after": "1", "retry-after-ms": "1000"}

_TYPES = {400: "invalid_request_error", 500: "server_error"}
"""By status: the type of errors that the model reports. Those of the service have none."""

_STATUSES = {
    401: ("", "The access token is missing, invalid or expired, or is for another audience."),
    403: ("403", "The resource's network rules deny access."),
    404: ("DeploymentNotFound", "This resource has no deployment of that name."),
    408: ("Timeout", "The operation took too long."),
    429: ("429", "The requests exceed the deployment's rate limit. Retry after 1 second."),
    500: ("", "The model failed while it processed the request."),
    503: ("ServiceUnavailable", "The service is temporarily unable to process the request."),
}
"""By status: code and sentence."""

_CODES = {
    CONTENT_FILTER: "The content management policy has filtered the prompt.",
    NO_ROLE: "The principal does not have access to this operation.",
    "context_length_exceeded": "The messages have more tokens than the model's context has.",
}
"""By code."""
