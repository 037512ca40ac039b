"""ConnectorError: an error of the project, and botbuilder's own exception."""

from typing import Any

import pytest
from botbuilder.schema import ErrorResponseException

from auth.errors import BotError, Unavailable
from cloud_adapter.connector.client import ConnectorError


def test_it_is_what_bots_catch() -> None:
    """Code that catches the SDK's exception finds the status and the service's code in it."""
    body = {
        "error": {
            "code": "ConversationNotFound",
            "message": "The conversation is not known.",
            "innerHttpError": {"statusCode": 404},
        }
    }
    with pytest.raises(ErrorResponseException) as caught:
        raise ConnectorError("POST https://x/v3", 404, body)
    error = caught.value
    assert error.response.status_code == 404
    assert error.error.error.code == "ConversationNotFound"
    assert error.error.error.message == "The conversation is not known."
    assert error.error.error.inner_http_error.status_code == 404


def test_it_is_in_the_tree() -> None:
    """It is one of the project's errors, but not one that makes the channel send again."""
    error = ConnectorError("GET https://x/v3", 500)
    assert isinstance(error, BotError)
    assert not isinstance(error, Unavailable)


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (404, {"error": {"code": "NotFound", "message": "x"}}, "GET u answered 404 with NotFound"),
        (502, None, "GET u answered 502"),
        (0, None, "GET u got no answer"),
    ],
)
def test_its_text(status: int, body: Any, text: str) -> None:
    """It names the call, the status and the code, and not the service's message."""
    error = ConnectorError("GET u", status, body)
    assert (str(error), error.message) == (text, text)


@pytest.mark.parametrize("code", ["no message sesame", "x" * 65, "'sesame'", "1", "", "a\nb"])
def test_a_code_that_is_no_identifier(code: str) -> None:
    """Other text in place of an error code may quote the request, so it is not logged."""
    error = ConnectorError("GET u", 400, {"error": {"code": code}})
    assert (error.code, str(error)) == ("", "GET u answered 400")
    assert error.error.error.code == code


@pytest.mark.parametrize(
    "body",
    [None, [], "text", 5, {"error": "invalid_client"}, {"error": {"code": {}}}, [{"error": {}}]],
)
def test_a_body_of_another_shape(body: Any) -> None:
    """The response of a proxy or another service has no ErrorResponse, and is no second error."""
    error = ConnectorError("GET u", 400, body)
    assert error.error is None
    assert error.response.status_code == 400


def test_an_empty_body() -> None:
    """An object without an error in it is an ErrorResponse without one."""
    assert ConnectorError("GET u", 400, {}).error.error is None


@pytest.mark.parametrize(
    ("asked", "seconds"), [("7", 7), ("0", 0), (None, None), ("", None), ("soon", None)]
)
def test_a_pause_that_is_asked_for(asked: str | None, seconds: float | None) -> None:
    """A bot can read when to try again."""
    assert ConnectorError("GET u", 429, None, asked).retry_after == seconds
