"""GraphError: a refusal by Microsoft Graph, in its shape."""

import datetime
import uuid

from bot_workbench.emulator.faults import FAULT


class GraphError(Exception):
    """One refusal, in Graph's own wording where that is known.

    Args:
        status: HTTP status.
        code: Graph's code, for example `Request_ResourceNotFound`.
        message: what went wrong.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self, request_id: str, client_request_id: str) -> dict[str, object]:
        """The response's JSON.

        Args:
            request_id: GUID of the response.
            client_request_id: the request's `client-request-id`; empty: it has none.
        """
        inner = {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
        }
        return {"error": {"code": self.code, "message": str(self), "innerError": inner}}


def new_request_id() -> str:
    """A GUID for a response."""
    return str(uuid.uuid4())


def not_found(resource: str) -> GraphError:
    """The refusal of an object that is not there, or not yet."""
    message = (
        f"Resource '{resource}' does not exist or one of its queried reference-property objects "
        "are not present."
    )
    return GraphError(404, "Request_ResourceNotFound", message)


def denied() -> GraphError:
    """The refusal of a caller that lacks a permission."""
    message = "Insufficient privileges to complete the operation."
    return GraphError(403, "Authorization_RequestDenied", message)


def bad_request(message: str, code: str = "Request_BadRequest") -> GraphError:
    """The refusal of a request whose content breaks a rule."""
    return GraphError(400, code, message)


def invalid_value() -> GraphError:
    """The refusal of a value, where Graph's own words for the rule are not known."""
    return bad_request("One or more property values specified are invalid.")


def bad_token(message: str) -> GraphError:
    """The refusal of a token."""
    return GraphError(401, "InvalidAuthenticationToken", message)


def bad_proof() -> GraphError:
    """The refusal of a proof that the caller has the key of a valid certificate."""
    message = "Access Token missing or malformed."
    return GraphError(401, "Authentication_MissingOrMalformed", message)


def internal_error() -> GraphError:
    """The answer to a request that this stand-in fails to process."""
    return GraphError(500, "InternalServerError", "An internal server error occurred.")


def unlicensed() -> GraphError:
    """The refusal of sign-in reports in a directory without Entra ID P1 or P2."""
    return GraphError(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )


def fault(status: int) -> dict[str, object]:
    """The JSON of a faulty response."""
    code = {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(status, "UnknownError")
    return GraphError(status, code, FAULT).body(new_request_id(), "")
