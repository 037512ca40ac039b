"""Refusal: a request that Azure OpenAI does not carry out, in Azure's shapes."""

from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.language_model.content_filter import FILTERED

CONTENT_FILTER = "content_filter"


class Refusal(Exception):
    """One refusal.

    Args:
        status: HTTP status.
        code: Azure's or the model's code, such as `DeploymentNotFound`; empty: the status's own.
        message: what is wrong; empty: the code's own.
        param: the property of the request that is wrong.
        retry_after: seconds.
    """

    def __init__(
        self,
        status: int,
        code: str = "",
        message: str = "",
        *,
        param: str | None = None,
        retry_after: int = 1,
    ) -> None:
        usual, sentence = _USUAL.get(status, ("", f"The service answers {status}."))
        super().__init__(message or _SENTENCES.get(code) or sentence)
        self.status = status
        self.code = code or usual
        self.param = param
        self.headers: Mapping[str, str] = {}
        if status == 429:
            self.headers = {
                "retry-after": str(retry_after),
                "retry-after-ms": str(retry_after * 1000),
            }

    def body(self) -> dict[str, Any]:
        """The response's JSON."""
        error: dict[str, Any] = {"code": self.code or None, "message": str(self)}
        if self.status == 400 or self.status == 500:
            # The model refuses these itself; Azure's front end refuses the others.
            error |= {"param": self.param, "type": "invalid_request_error"}
        if self.status == 500:
            error["type"] = "server_error"
        if self.code == CONTENT_FILTER:
            error |= {"param": "prompt", "type": None, "status": 400}
            inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FILTERED}
            error["innererror"] = inner
        return {"error": error}


_USUAL = {
    401: (
        "Unauthorized",
        "The access token is missing, invalid or expired, or its audience is not this service.",
    ),
    403: ("Forbidden", "The resource's network rules refuse this caller."),
    404: ("DeploymentNotFound", "The resource has no such deployment."),
    408: ("Timeout", "The operation has taken too long."),
    429: ("RateLimitReached", "The deployment's rate limit is exceeded. Retry after a second."),
    500: ("", "The model has failed to answer the request."),
    503: ("ServiceUnavailable", "The service has too many requests, or is being maintained."),
}
"""By status: its usual code and sentence."""

_SENTENCES = {
    CONTENT_FILTER: "The prompt is filtered by the content management policy. Change it, and retry.",
    "PermissionDenied": (
        "The principal lacks the data action Microsoft.CognitiveServices/accounts/OpenAI/"
        "deployments/chat/completions/action."
    ),
    "context_length_exceeded": "The messages have more tokens than the model's context.",
}
"""By code."""
