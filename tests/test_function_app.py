"""function_app: what stands in the log when a request is refused."""

import pytest

from auth.errors import EndpointDown
from function_app import refusal


def test_causes_without_bodies(caplog: pytest.LogCaptureFixture) -> None:
    """Each cause is named with its first line; what the SDKs put behind that may be a token."""
    root = ConnectionError()
    cause = ValueError("Unexpected response\nContent: a token")
    cause.__cause__ = root
    error = EndpointDown("the endpoint is down")
    error.__cause__ = cause
    assert refusal(error).status == 503
    [line] = caplog.messages
    told = "the endpoint is down; caused by ValueError: Unexpected response"
    assert line == f"Answered 503: {told}; caused by ConnectionError"
