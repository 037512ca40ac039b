"""What an error of Azure's SDKs tells about the answer behind it."""

from azure.core.exceptions import AzureError, HttpResponseError

from auth.retry_after import retry_after


def status_of(error: AzureError) -> int | None:
    """The HTTP status; None when there was no answer."""
    response = error.response if isinstance(error, HttpResponseError) else None
    return response.status_code if response else None


def wait_asked_by(error: AzureError) -> float | None:
    """Seconds to wait before the next request, if the answer asks for it."""
    response = error.response if isinstance(error, HttpResponseError) else None
    if response is None:
        return None
    headers = response.headers  # type: ignore[attr-defined]  # left out of the SDK's protocol only
    return retry_after(headers.get("Retry-After"))
