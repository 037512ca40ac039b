"""EntraError: a refusal of the token endpoint, with its AADSTS code."""

import datetime
import uuid


class EntraError(Exception):
    """One refusal; Entra's own wording is kept where clients read it, the rest is shortened.

    Args:
        code: the number behind `AADSTS` (Microsoft Entra error codes reference).
        error: the OAuth 2.0 error (RFC 6749, section 5.2).
        message: what went wrong, without the code.
    """

    def __init__(self, code: int, error: str, message: str) -> None:
        super().__init__(f"AADSTS{code}: {message}")
        self.code = code
        self.error = error

    @property
    def status(self) -> int:
        """The HTTP status: 401 when the client did not prove who it is, else 400."""
        return 401 if self.error == "invalid_client" else 400

    def body(self, authority: str, correlation_id: str) -> dict[str, object]:
        """The answer's JSON.

        Args:
            authority: base URL of the token endpoint.
            correlation_id: GUID, the request's `client-request-id` where it sent one.
        """
        trace_id = str(uuid.uuid4())
        timestamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"{self} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{authority}/error?code={self.code}",
        }
