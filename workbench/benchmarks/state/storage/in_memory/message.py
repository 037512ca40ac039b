"""ServiceRequest, ServiceResponse and ServiceError: what both services of the account speak."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True)
class ServiceRequest:
    """A request to a service.

    Attributes:
        method: HTTP method.
        path: the parts below the account, decoded: container and blob, or queue and the rest.
        query: of the URL.
        headers: by lower-case name.
        body: its content.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ServiceResponse:
    """A service's response."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class ServiceError(Exception):
    """A request is refused.

    Args:
        status: of the response.
        code: the value of `x-ms-error-code`.
    """

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code

    def response(self) -> ServiceResponse:
        """The response, as Azure Storage writes it."""
        error = f"<Error><Code>{self.code}</Code><Message>{self.code}</Message></Error>"
        body = f'<?xml version="1.0"?>{error}'
        headers = {"x-ms-error-code": self.code, "Content-Type": "application/xml"}
        return ServiceResponse(self.status, headers, body.encode())
