"""What an error of Azure's SDKs tells about the answer behind it."""

import zlib
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from http_client.retry import retry_after

ODD_ANSWER = (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error)
"""What the SDKs raise, beside errors of their own, for an answer of another shape or encoding."""


def status_of(error: AzureError) -> int | None:
    """The HTTP status; None when there was no answer."""
    response = _response_of(error)
    return None if response is None else int(response.status_code)


def wait_asked_by(error: AzureError) -> float | None:
    """Seconds to wait before the next request, if the answer asks for it."""
    response = _response_of(error)
    return None if response is None else retry_after(response.headers.get("Retry-After"))


def _response_of(error: AzureError) -> Any:
    return error.response if isinstance(error, HttpResponseError) else None


CONNECT_TIMEOUT, READ_TIMEOUT = 2, 5
"""Seconds."""
