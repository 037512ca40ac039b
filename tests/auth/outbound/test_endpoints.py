"""What is read from the errors of Azure's SDKs, as they raise them in front of a service."""

from collections.abc import Mapping

import pytest
from azure.core import AsyncPipelineClient
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import AsyncHttpResponse, HttpRequest

from auth.outbound.endpoints import retry_after_of, status_of
from tests.support.wire.scripted_service import Reply, ScriptedService


async def refused(status: int, headers: Mapping[str, str]) -> HttpResponseError:
    """The error that an SDK's client raises for an answer."""
    async with ScriptedService() as service:
        service.otherwise = Reply(status, {"error": "fault"}, headers)
        client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse]
        client = AsyncPipelineClient(service.url)
        async with client:
            answer = await client.send_request(HttpRequest("GET", f"{service.url}/"))
        with pytest.raises(HttpResponseError) as caught:
            answer.raise_for_status()
        return caught.value


@pytest.mark.parametrize("status", [400, 403, 429, 500])
async def test_the_status(status: int) -> None:
    """It is the answer's."""
    error = await refused(status, {})
    assert status_of(error) == status
    assert retry_after_of(error) is None


@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
async def test_the_wait(name: str) -> None:
    """It is the header's, however the header is written."""
    assert retry_after_of(await refused(429, {name: "17"})) == 17.0


@pytest.mark.parametrize(
    "error",
    [
        AzureError("no answer"),
        ServiceRequestError("not sent"),
        ServiceResponseError("cut off"),
        HttpResponseError("without a response"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer(error: AzureError) -> None:
    """An error without an answer has neither."""
    assert status_of(error) is None
    assert retry_after_of(error) is None
