"""StorageAccount: which calls are repeated, and a clock that is wrong."""

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from aiohttp import web

from auth.settings import StorageSource
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from http_client.pool import MAX_CONTENT_BYTES, HttpPool
from tests.support.storage.storage_front import (
    Fault,
    Pass,
    Passage,
    StorageFront,
    answered,
    cut_after,
    cut_before,
    silent,
)
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import ScriptedService

HOUR = 3600.0
BUSY = {"x-ms-error-code": "ServerBusy", "x-ms-request-id": "1"}
TIMED_OUT = {"x-ms-error-code": "OperationTimedOut", "x-ms-request-id": "1"}


@pytest.fixture
async def far(far_account: StorageAccount) -> BlobContainer:
    """A container with a blob, through the proxy."""
    blobs = BlobContainer(far_account, "container")
    await blobs.write("a", b"1", None)
    return blobs


@pytest.fixture
async def queue(far_account: StorageAccount) -> MessageQueue:
    """A queue, through the proxy."""
    queue = MessageQueue(far_account, "queue")
    await queue.put("x")
    return queue


@pytest.mark.parametrize(
    "fault",
    [
        answered(503, headers=BUSY),
        answered(500, headers=TIMED_OUT),
        *map(answered, (408, 429, 502, 504)),
        cut_before,
        cut_after,
    ],
)
async def test_calls_are_attempted_three_times(
    far: BlobContainer, queue: MessageQueue, front: StorageFront, fault: Fault
) -> None:
    """Two failures are not noticed, three are, whatever the call's method is."""
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "GET blob": lambda: far.read("a"),
        "PUT blob": lambda: far.write("a", b"2", ANY),
        "DELETE blob": lambda: far.delete("b"),
        "POST queue": lambda: queue.put("y"),
    }
    for name, call in calls.items():
        front.spoil(name, fault, times=2)
        await call()
        front.heal()
        front.spoil(name, fault)
        with pytest.raises(StorageUnavailable):
            await call()
        front.heal()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 412, 416, 501, 505])
async def test_other_refusals_are_final(
    far: BlobContainer, front: StorageFront, status: int
) -> None:
    """A precondition that failed is an answer, and so is any other refusal."""
    front.spoil("GET", answered(status))
    before = front.count("GET")
    with pytest.raises(StorageUnavailable):
        await far.read("a")
    assert front.count("GET") == before + 1


async def test_how_long_the_account_asks_to_wait(
    far: BlobContainer, front: StorageFront, clock: MovedClock
) -> None:
    """Retry-After is obeyed; if it lasts longer than the call may take, the call fails at once."""
    front.spoil("GET", answered(503, headers={**BUSY, "Retry-After": "3"}), times=1)
    with clock.stopped():
        task = asyncio.create_task(far.read("a"))
        await clock.until(lambda: bool(clock.sleeping()))
        clock.move(2.9)
        await settled()
        assert front.count("GET") == 1
        clock.move(0.2)
    assert await task
    front.spoil("GET", answered(503, headers={**BUSY, "Retry-After": "30"}), times=1)
    with pytest.raises(StorageUnavailable, match="answers 503"):
        await far.read("a")


async def test_a_silent_account(clock: MovedClock, far: BlobContainer, front: StorageFront) -> None:
    """It has five seconds to answer before it is asked again."""
    front.spoil("GET", silent, times=1)
    with clock.stopped():
        task = asyncio.create_task(far.read("a"))
        await clock.until(lambda: front.count("GET") == 1)
        clock.move(4.9)
        await settled()
        assert front.count("GET") == 1
        clock.move(0.2)
    assert await task
    assert front.count("GET") == 2


async def test_pauses_are_random(front: StorageFront, pool: HttpPool, clock: MovedClock) -> None:
    """Without Retry-After, a call waits up to a second before each of its next attempts."""
    account = StorageAccount(StorageSource(front.connection_string), pool)
    front.spoil("GET", answered(503))
    with clock.stopped():
        tasks = [asyncio.create_task(BlobContainer(account, "c").read("a")) for _ in range(20)]
        await clock.until(lambda: len(clock.sleeping()) == 20)
        clock.move(0.5)
        await clock.until(lambda: front.count("GET") > 21)
        assert front.count("GET") < 40
    for _ in range(2):
        clock.move(1)
        await settled()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in results} == {StorageUnavailable}
    assert front.count("GET") == 60


def server_clock(ahead: float) -> Fault:
    """The account's clock differs from this machine's; it refuses requests as Azure does."""

    async def fault(passage: Passage, passed: Pass) -> web.StreamResponse:
        now = time.time() + ahead
        sent = email.utils.parsedate_to_datetime(passage.headers["x-ms-date"]).timestamp()
        if abs(sent - now) <= 15 * 60:
            return await passed()
        headers = {
            "Date": email.utils.formatdate(now, usegmt=True),
            "x-ms-error-code": "AuthenticationFailed",
        }
        return web.Response(status=HTTPStatus.FORBIDDEN, headers=headers)

    return fault


@pytest.mark.parametrize("ahead", [-HOUR, HOUR, 9 * HOUR])
async def test_a_wrong_clock(far: BlobContainer, front: StorageFront, ahead: float) -> None:
    """The first requests are sent again by the account's clock, the later ones only once."""
    front.spoil("", server_clock(ahead))
    assert all(await asyncio.gather(*(far.read("a") for _ in range(5))))
    before = front.count("")
    assert await far.read("a")
    assert front.count("") == before + 1
    front.heal()
    front.spoil("", server_clock(0))
    assert await far.read("a")


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Foo 2026 00:00:00 GMT"])
async def test_a_refusal_without_a_date(far: BlobContainer, front: StorageFront, date: str) -> None:
    """Nothing is learned from it."""
    front.spoil("", answered(403, headers={"Date": date}), times=1)
    with pytest.raises(StorageUnavailable):
        await far.read("a")
    assert await far.read("a")


async def test_a_clock_that_jumps(far: BlobContainer, front: StorageFront) -> None:
    """A request is sent again once, however often the account's clock changes."""
    days = iter(range(1, 9))

    async def fault(_: Passage, __: Pass) -> web.StreamResponse:
        moment = time.time() + next(days) * 24 * HOUR
        return web.Response(
            status=403, headers={"Date": email.utils.formatdate(moment, usegmt=True)}
        )

    front.spoil("GET", fault)
    with pytest.raises(StorageUnavailable, match="refuses access"):
        await far.read("a")
    assert next(days) == 3


async def test_the_largest_blob(pool: HttpPool, service: ScriptedService) -> None:
    """A blob of MAX_CONTENT_BYTES is read; a larger one fails, and is not requested again."""
    size = MAX_CONTENT_BYTES

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=bytes(size), headers={"ETag": "1", "x-ms-request-id": "1"})

    service.otherwise = respond
    source = StorageSource(blob_url=service.url, queue_url=service.url)
    blobs = BlobContainer(StorageAccount(source, pool), "container")
    blob = await blobs.read("a")
    assert blob
    assert len(blob.content) == size
    size += 1
    with pytest.raises(StorageUnavailable, match="too large"):
        await blobs.read("a")
    assert len(service.seen) == 2
