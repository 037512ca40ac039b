"""Calls to the endpoints on the way to a token: time limits, and the Azure SDKs' errors."""

from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from http_client.retry import retry_after

CONNECT_TIMEOUT_SECONDS = 2

READ_TIMEOUT_SECONDS = 5

MALFORMED_RESPONSE_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""The errors that the SDKs raise, besides their own, for a response that they cannot read."""


def status_of(error: AzureError) -> int | None:
    """The HTTP status of the response; None if there was no response."""
    response = _response_of(error)
    return None if response is None else int(response.status_code)


def retry_after_of(error: AzureError) -> float | None:
    """Seconds to wait according to the response's Retry-After; None if it has none."""
    response = _response_of(error)
    return None if response is None else retry_after(response.headers.get("Retry-After"))


def _response_of(error: AzureError) -> Any:
    return error.response if isinstance(error, HttpResponseError) else None
