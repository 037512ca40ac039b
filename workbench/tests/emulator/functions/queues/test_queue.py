"""StorageQueue: what it writes and reads is what the SDK's client reads and writes."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas
from azure.storage.queue.aio import QueueServiceClient

from bot_workbench.emulator.functions.errors import StorageError, StorageNotFoundError
from bot_workbench.emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from bot_workbench.emulator.functions.queues.queue import StorageQueue
from bot_workbench.emulator.functions.storage.service import StorageService
from tests.support.storage.host_queues import host_queues

KEY = "AccountName=x;AccountKey=a2V5;"
MARKUP = "<a b='c'>&amp; \u00fc ]]>"


async def test_operations_beside_the_sdks(
    account: StorageService, service: QueueServiceClient
) -> None:
    """A queue is created by its first message, and every operation is seen by the other side."""
    queue, reference = StorageQueue(account, "work"), service.get_queue_client("work")
    with pytest.raises(StorageNotFoundError):
        await queue.receive(32, 30)
    await queue.put(MARKUP)
    [peeked] = await reference.peek_messages()
    assert peeked.content == MARKUP
    [message] = await queue.receive(32, 30)
    assert (message.id, message.content) == (peeked.id, MARKUP)
    assert (message.inserted_on, message.expires_on) == (peeked.inserted_on, peeked.expires_on)
    assert message.dequeue_count == 1
    assert message.next_visible_on - datetime.now(UTC) <= timedelta(seconds=30)
    assert await reference.peek_messages() == []

    receipt = message.pop_receipt
    await queue.hide(message, 0)
    assert message.pop_receipt != receipt
    [again] = [each async for each in reference.receive_messages(visibility_timeout=30)]
    assert (again.id, again.dequeue_count, again.content) == (message.id, 2, MARKUP)
    with pytest.raises(StorageError, match="400 PopReceiptMismatch"):
        await queue.delete(message)
    message.pop_receipt = again.pop_receipt or ""
    await queue.delete(message)
    assert (await reference.get_queue_properties()).approximate_message_count == 0
    with pytest.raises(StorageNotFoundError):
        await queue.delete(message)


async def test_at_most_so_many_messages(
    account: StorageService, service: QueueServiceClient
) -> None:
    """A batch has at most as many messages as were asked for, in the order of the queue."""
    reference = await service.create_queue("work")
    for text in ("1", "2", "3"):
        await reference.send_message(text)
    queue = StorageQueue(account, "work")
    assert [each.content for each in await queue.receive(2, 30)] == ["1", "2"]
    assert [each.content for each in await queue.receive(2, 30)] == ["3"]
    assert await queue.receive(2, 30) == []


async def test_a_shared_access_signature(storage: str, service: QueueServiceClient) -> None:
    """A connection string with a signature in the key's place is enough."""
    parts = dict(part.split("=", 1) for part in storage.split(";"))
    signature = generate_account_sas(
        parts["AccountName"],
        parts["AccountKey"],
        ResourceTypes(object=True),
        AccountSasPermissions(process=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    reference = await service.create_queue("work")
    await reference.send_message("hello")
    text = f"QueueEndpoint={parts['QueueEndpoint']};SharedAccessSignature={signature}"
    async with host_queues(text) as account:
        [message] = await StorageQueue(account, "work").receive(1, 30)
        assert message.content == "hello"
        with pytest.raises(StorageError, match="403"):
            await StorageQueue(account, "work").put("hello")


@pytest.mark.parametrize(("status", "attempts"), [(503, 3), (403, 1), (404, 1)])
async def test_attempts(status: int, attempts: int) -> None:
    """A request is repeated while the storage is unavailable; polling has its own rhythm."""
    seen: list[str] = []

    async def failing(request: HttpRequest) -> HttpResponse:
        seen.append(request.method)
        return HttpResponse(status)

    front = HttpFront(failing)
    await front.start()
    async with host_queues(f"{KEY}QueueEndpoint={front.url}/x") as account:
        with pytest.raises(StorageError):
            await account.call("DELETE", "work/messages/1", {})
        with pytest.raises(StorageError):
            await StorageQueue(account, "work").receive(1, 30)
    await front.stop(0)
    assert seen == ["DELETE"] * attempts + ["GET"]


async def test_recovery() -> None:
    """An attempt that succeeds ends the attempts."""
    statuses = [503, 503, 204]

    async def recovering(_: HttpRequest) -> HttpResponse:
        return HttpResponse(statuses.pop(0))

    front = HttpFront(recovering)
    await front.start()
    async with host_queues(f"{KEY}QueueEndpoint={front.url}/x") as account:
        assert (await account.call("DELETE", "work/messages/1", {})).status == 204
    await front.stop(0)
    assert statuses == []


async def test_nobody_listens() -> None:
    """A storage that is not there is an error in one line."""
    async with host_queues(f"{KEY}QueueEndpoint=http://127.0.0.1:1/x") as account:
        with pytest.raises(StorageError, match=r"\A[^\n]+\Z"):
            await StorageQueue(account, "work").put("hello")
