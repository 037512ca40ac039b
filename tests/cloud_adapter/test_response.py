"""TurnResponse: a turn's result as an HTTP response."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from botbuilder.core import InvokeResponse
from botbuilder.schema import Activity, AdaptiveCardInvokeResponse, Entity, ExpectedReplies
from botbuilder.schema.teams import (
    MessagingExtensionResponse,
    MessagingExtensionResult,
    TaskModuleContinueResponse,
    TaskModuleResponse,
    TaskModuleTaskInfo,
)

from cloud_adapter.adapter import TurnResponse


def test_no_result() -> None:
    """The response is empty, with status 200."""
    assert TurnResponse.of(None) == TurnResponse(200, b"")


@pytest.mark.parametrize("status", [200, 409, HTTPStatus.NOT_IMPLEMENTED, "404"])
def test_an_invoke_s_status(status: Any) -> None:
    """It becomes the HTTP status, as a number or an HTTPStatus."""
    assert TurnResponse.of(InvokeResponse(status=status)) == TurnResponse(int(status))


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ({"a": [1, None]}, {"a": [1, None]}),
        ({}, {}),
        ([], []),
        ("", ""),
        (0, 0),
        (False, False),
        (
            AdaptiveCardInvokeResponse(status_code=200, type="x", value={"a": None}),
            {"statusCode": 200, "type": "x", "value": {"a": None}},
        ),
        (
            TaskModuleResponse(
                task=TaskModuleContinueResponse(value=TaskModuleTaskInfo(title="T", height=5))
            ),
            {"task": {"type": "continue", "value": {"title": "T", "height": 5}}},
        ),
        (
            MessagingExtensionResponse(compose_extension=MessagingExtensionResult(type="message")),
            {"composeExtension": {"type": "message"}},
        ),
        ({"model": [Activity(type="message")]}, {"model": [{"type": "message"}]}),
    ],
)
def test_an_invoke_s_body(body: Any, written: Any) -> None:
    """Plain data and the SDK's models become JSON."""
    response = TurnResponse.of(InvokeResponse(status=200, body=body))
    assert (response.status, json.loads(response.body)) == (200, written)


def test_replies_with_entities() -> None:
    """Expected replies keep the unknown properties of their entities."""
    entity = Entity(type="https://schema.org/Message")
    entity.additional_properties = {"citation": [{"position": 1}]}
    replies = ExpectedReplies(activities=[Activity(type="message", entities=[entity])])
    body = json.loads(TurnResponse.of(InvokeResponse(status=200, body=replies)).body)
    assert body["activities"][0]["entities"] == [
        {"type": "https://schema.org/Message", "citation": [{"position": 1}]}
    ]


@pytest.mark.parametrize(
    "result",
    [
        InvokeResponse(status=200, body=object()),
        InvokeResponse(status=200, body={"a": {1, 2}}),
        InvokeResponse(status=200, body=ValueError("x")),
        InvokeResponse(status=200, body=float("nan")),
        InvokeResponse(status=200, body=[float("inf")]),
        InvokeResponse(status=None),
        InvokeResponse(status="fine"),
    ],
)
def test_an_invalid_result(result: InvokeResponse) -> None:
    """A body without a JSON form, or an invalid status, raises."""
    with pytest.raises((TypeError, ValueError)):
        TurnResponse.of(result)
