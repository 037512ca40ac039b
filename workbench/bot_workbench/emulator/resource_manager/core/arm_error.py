"""ArmError: a refusal by Resource Manager or a resource provider, in ARM's shape and wording."""

from typing import Any

from bot_workbench.emulator.faults import FAULT


class ArmError(Exception):
    """One refusal.

    Args:
        status: HTTP status.
        code: ARM's code, for example `ResourceNotFound`.
        message: ARM's text.
        headers: sent with it, for example `Retry-After`.
        details: further errors, each with `code` and `message`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        details: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.details = details

    def body(self) -> dict[str, object]:
        """The response's JSON."""
        error: dict[str, object] = {"code": self.code, "message": str(self)}
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}


def bad_request(code: str, message: str) -> ArmError:
    """A 400."""
    return ArmError(400, code, message)


def conflict(code: str, message: str) -> ArmError:
    """A 409."""
    return ArmError(409, code, message)


def internal_error() -> ArmError:
    """The answer to a request that this stand-in fails to process."""
    return ArmError(500, "InternalServerError", "Encountered internal server error.")


def invalid_content(reason: str) -> ArmError:
    """The body is no JSON object, or has values of wrong types."""
    message = f"The request content was invalid and could not be deserialized: '{reason}'."
    return bad_request("InvalidRequestContent", message)


def fault(status: int) -> dict[str, object]:
    """The JSON of a faulty response."""
    code = {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(status, "InternalServerError")
    return ArmError(status, code, FAULT).body()
