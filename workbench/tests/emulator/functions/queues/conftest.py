"""One account's queues, as the SDK's client and as the Functions host reach them."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from azure.storage.queue.aio import QueueServiceClient

from bot_workbench.emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from bot_workbench.emulator.functions.storage.service import StorageService
from bot_workbench.emulator.functions.workers.upstream import HttpUpstream
from tests.support.storage.host_queues import host_queues


@pytest.fixture
async def service(storage: str) -> AsyncIterator[QueueServiceClient]:
    """The queue service of an account, for the SDK."""
    async with QueueServiceClient.from_connection_string(storage) as client:
        yield client


@pytest.fixture
def requests() -> list[str]:
    """Method, path and query of each request of the host to the account."""
    return []


@pytest.fixture
async def front(storage: str, requests: list[str]) -> AsyncIterator[HttpFront]:
    """A server in front of the same account, for the host, that records the requests."""
    parts = dict(part.split("=", 1) for part in storage.split(";"))
    azurite = urlsplit(parts["QueueEndpoint"])
    upstream = HttpUpstream(azurite.port or 0)

    async def passed(request: HttpRequest) -> HttpResponse:
        requests.append(f"{request.method} {request.target}")
        answer = await upstream.send(request)
        # The front writes the body's length instead.
        headers = {
            name: text for name, text in answer.headers.items() if name != "Transfer-Encoding"
        }
        return answer._replace(headers=headers)

    front = HttpFront(passed)
    await front.start()
    yield front
    await front.stop(0)
    upstream.close()


@pytest.fixture
async def account(storage: str, front: HttpFront) -> AsyncIterator[StorageService]:
    """The account as the host reaches it, through that server."""
    parts = dict(part.split("=", 1) for part in storage.split(";"))
    parts["QueueEndpoint"] = front.url + urlsplit(parts["QueueEndpoint"]).path
    async with host_queues(";".join(f"{name}={text}" for name, text in parts.items())) as account:
        yield account
