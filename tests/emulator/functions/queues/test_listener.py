"""What a listener does with the messages of a queue, on a real storage."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from emulator.functions.queues.listener import QueueListener
from emulator.functions.queues.settings import QueueSettings
from emulator.functions.workers.worker import InvocationError, TypedData
from emulator.loopback import LOOPBACK
from emulator.storage.azurite import Azurite

SECONDS = 10
"""No wait of a test is longer."""
SOON = QueueSettings(max_polling_interval=0.1)


def stored(text: str) -> str:
    """A text as queues store it."""
    return base64.b64encode(text.encode()).decode()


async def until(condition: Callable[[], bool]) -> None:
    """Poll a condition."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 # what is waited for tells nobody
            await asyncio.sleep(0.02)


async def count(queue: QueueClient) -> int:
    """How many messages the queue has, hidden ones included; 0 when it is missing."""
    try:
        properties = await queue.get_queue_properties()
    except ResourceNotFoundError:
        return 0
    return properties.approximate_message_count or 0


async def until_count(queue: QueueClient, expected: int) -> None:
    """Poll the number of messages."""
    async with asyncio.timeout(SECONDS):
        while await count(queue) != expected:  # noqa: ASYNC110 # nor does the storage
            await asyncio.sleep(0.02)


async def only_message(queue: QueueClient) -> QueueMessage:
    """Take the message of a queue that has one."""
    [message] = [each async for each in queue.receive_messages()]
    return message


class Function:
    """A function that does as it is told, and counts.

    Attributes:
        fails: how many of the next calls raise.
        gate: calls wait until it is set.
        texts: what it was called with, in order.
        running: calls under way.
        peak: the most of them at a time.
    """

    def __init__(self) -> None:
        self.fails = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.texts: list[str] = []
        self.metadata: list[Mapping[str, TypedData]] = []
        self.running = 0
        self.peak = 0

    async def __call__(self, text: str, metadata: Mapping[str, TypedData]) -> None:
        """Run."""
        self.texts.append(text)
        self.metadata.append(metadata)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.fails:
            self.fails -= 1
            raise InvocationError("Traceback: refused")


@pytest.fixture
def function() -> Function:
    """A function that succeeds."""
    return Function()


@pytest.fixture
async def service(storage: str) -> AsyncIterator[QueueServiceClient]:
    """The queues of an account."""
    async with QueueServiceClient.from_connection_string(storage) as client:
        yield client


@pytest.fixture
async def queue(service: QueueServiceClient) -> QueueClient:
    """An empty queue."""
    return await service.create_queue("work")


@pytest.fixture
def poison(service: QueueServiceClient) -> QueueClient:
    """Its poison queue, which is not there yet."""
    return service.get_queue_client("work-poison")


@asynccontextmanager
async def listening(listener: QueueListener) -> AsyncIterator[None]:
    """Started, and stopped at the end."""
    listener.start()
    try:
        yield
    finally:
        await listener.stop(0.1)


async def test_message_is_run_and_deleted(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """The function gets the text that was sent, and the message is gone afterwards."""
    await queue.send_message(stored("gr\u00fc\u00df dich"))
    async with listening(QueueListener(queue, poison, SOON, function)):
        await until_count(queue, 0)
    assert function.texts == ["gr\u00fc\u00df dich"]


async def test_message_without_encoding(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """With messageEncoding none the text is taken as it is, markup too."""
    settings = QueueSettings(max_polling_interval=0.1, base64=False)
    await queue.send_message("<a>&b</a>")
    async with listening(QueueListener(queue, poison, settings, function)):
        await until_count(queue, 0)
    assert function.texts == ["<a>&b</a>"]


async def test_metadata_tells_of_the_message(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """Texts are texts; the count and the times are JSON, the times as ISO 8601 in UTC."""
    sent = await queue.send_message(stored("x"), time_to_live=3600)
    async with listening(QueueListener(queue, poison, SOON, function)):
        await until_count(queue, 0)
    [metadata] = function.metadata
    assert metadata["Id"] == TypedData(string=sent.id)
    assert metadata["PopReceipt"].string
    assert metadata["DequeueCount"] == TypedData(json="1")
    times = {
        name: datetime.fromisoformat(json.loads(metadata[name].json))
        for name in ("InsertionTime", "ExpirationTime", "NextVisibleTime")
    }
    assert times["ExpirationTime"] - times["InsertionTime"] == timedelta(hours=1)
    hidden = times["NextVisibleTime"] - datetime.now(UTC)
    assert timedelta(minutes=9) < hidden <= timedelta(minutes=10, seconds=1)


async def test_failed_message_is_tried_again(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """A message whose function raised comes back at once, with a higher count."""
    function.fails = 1
    await queue.send_message(stored("x"))
    async with listening(QueueListener(queue, poison, SOON, function)):
        await until_count(queue, 0)
    assert [each["DequeueCount"].json for each in function.metadata] == ["1", "2"]


async def test_failed_message_is_hidden_for_the_visibility_timeout(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """With a visibilityTimeout the next try waits for it."""
    function.fails = 1
    settings = QueueSettings(max_polling_interval=0.1, visibility_timeout=2.0)
    loop = asyncio.get_running_loop()
    await queue.send_message(stored("x"))
    async with listening(QueueListener(queue, poison, settings, function)):
        await until(lambda: len(function.texts) == 1)
        failed = loop.time()
        await until(lambda: len(function.texts) == 2)
        # The storage counts whole seconds.
        assert loop.time() - failed > 1
    assert function.metadata[1]["DequeueCount"].json == "2"


async def test_message_that_fails_too_often_is_poison(
    queue: QueueClient, poison: QueueClient, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """After maxDequeueCount tries the message is moved, as it was, to a queue that is made."""
    function.fails = 99
    settings = QueueSettings(max_polling_interval=0.1, max_dequeue_count=3)
    await queue.send_message(stored("bad"))
    with caplog.at_level(logging.INFO):
        async with listening(QueueListener(queue, poison, settings, function)):
            await until_count(poison, 1)
            await until_count(queue, 0)
    assert len(function.texts) == 3
    assert (await only_message(poison)).content == stored("bad")
    assert "failed 3 times: moved to work-poison" in caplog.text
    assert "Traceback: refused" in caplog.text
    assert "bad" not in caplog.text


async def test_message_over_the_count_is_poison_unseen(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """A message that others took too often, and never finished, is moved without a try."""
    await queue.send_message(stored("x"))
    for _ in range(2):
        await queue.update_message(await only_message(queue), visibility_timeout=0)
    settings = QueueSettings(max_polling_interval=0.1, max_dequeue_count=2)
    async with listening(QueueListener(queue, poison, settings, function)):
        await until_count(poison, 1)
        await until_count(queue, 0)
    assert function.texts == []


@pytest.mark.parametrize("content", ["not base64", "/w=="], ids=["text", "binary"])
async def test_message_that_cannot_be_decoded_is_poison_unseen(
    queue: QueueClient, poison: QueueClient, function: Function, content: str
) -> None:
    """What is not base64 of UTF-8 text is moved without a try, and the next one is run."""
    await queue.send_message(content)
    await queue.send_message(stored("next"))
    async with listening(QueueListener(queue, poison, SOON, function)):
        await until_count(poison, 1)
        await until_count(queue, 0)
    assert function.texts == ["next"]
    assert (await only_message(poison)).content == content


async def test_failed_message_of_a_poison_queue_stays_hidden(
    queue: QueueClient, function: Function
) -> None:
    """Without a poison queue a failed message is neither deleted nor tried again at once."""
    function.fails = 1
    await queue.send_message(stored("bad"))
    async with listening(QueueListener(queue, None, SOON, function)):
        await until(lambda: not function.fails)
        await queue.send_message(stored("next"))
        await until_count(queue, 1)
    assert function.texts == ["bad", "next"]


async def test_batch_size_and_threshold_limit_what_runs(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """At most batchSize + newBatchThreshold run at once, and that many do."""
    settings = QueueSettings(max_polling_interval=0.1, batch_size=4, new_batch_threshold=2)
    function.gate.clear()
    for number in range(20):
        await queue.send_message(stored(str(number)))
    async with listening(QueueListener(queue, poison, settings, function)):
        await until(lambda: function.running == 4)
        assert len(await queue.peek_messages(32)) == 16
        function.gate.set()
        await until_count(queue, 0)
    assert function.peak <= 6
    assert len(function.texts) == 20


async def test_more_is_fetched_at_the_threshold(queue: QueueClient, poison: QueueClient) -> None:
    """When no more than newBatchThreshold run, a slow message does not hold up the others."""
    slow = asyncio.Event()
    texts: list[str] = []

    async def function(text: str, _: Mapping[str, TypedData]) -> None:
        texts.append(text)
        if text == "slow":
            await slow.wait()

    settings = QueueSettings(max_polling_interval=0.1, batch_size=2, new_batch_threshold=1)
    for text in ("slow", "1", "2", "3", "4"):
        await queue.send_message(stored(text))
    async with listening(QueueListener(queue, poison, settings, function)):
        await until(lambda: len(texts) == 5)
        await until_count(queue, 1)
        slow.set()
        await until_count(queue, 0)


async def test_nothing_is_fetched_above_the_threshold(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """While more than newBatchThreshold run, the messages behind them stay in sight."""
    settings = QueueSettings(max_polling_interval=0.1, batch_size=2, new_batch_threshold=0)
    function.gate.clear()
    for text in ("1", "2", "3"):
        await queue.send_message(stored(text))
    async with listening(QueueListener(queue, poison, settings, function)):
        await until(lambda: function.running == 2)
        assert [each.content for each in await queue.peek_messages(32)] == [stored("3")]
        function.gate.set()
        await until_count(queue, 0)
    assert function.peak == 2


async def test_long_run_keeps_its_message_hidden(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """A message that runs longer than its visibility is run once, and deleted at the end."""
    function.gate.clear()
    await queue.send_message(stored("x"))
    loop = asyncio.get_running_loop()
    async with listening(QueueListener(queue, poison, SOON, function, visibility=2)):
        await until(lambda: function.running == 1)
        started = loop.time()
        await until(lambda: loop.time() - started > 4)
        assert len(function.texts) == 1
        function.gate.set()
        await until_count(queue, 0)
    assert len(function.texts) == 1


async def test_missing_queue_is_waited_for(
    service: QueueServiceClient, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """A queue that is made later is read from then on; the log has one line for each change."""
    queue = service.get_queue_client("later")
    with caplog.at_level(logging.INFO, "emulator"):
        async with listening(QueueListener(queue, None, SOON, function)):
            await until(lambda: "Queue later" in caplog.text)
            await queue.create_queue()
            await queue.send_message(stored("x"))
            await until_count(queue, 0)
    told = [each.levelname for each in caplog.records if "Queue later" in each.getMessage()]
    assert told == ["INFO", "INFO"]
    assert function.texts == ["x"]


async def test_storage_that_is_down_is_waited_for(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """A storage that goes away and comes back is read again, with one line for each change."""
    azurite = Azurite()
    await azurite.start()
    text = azurite.connection_string()
    try:
        async with QueueClient.from_connection_string(text, "work", retry_total=0) as queue:
            await queue.create_queue()
            with caplog.at_level(logging.INFO, "emulator"):
                async with listening(QueueListener(queue, None, SOON, function)):
                    await queue.send_message(stored("before"))
                    await until_count(queue, 0)
                    await azurite.stop()
                    await until(lambda: "cannot be read" in caplog.text)
                    await azurite.start()
                    await queue.create_queue()
                    await queue.send_message(stored("after"))
                    await until_count(queue, 0)
    finally:
        await azurite.stop()
    assert function.texts == ["before", "after"]
    told = [each.levelname for each in caplog.records if "Queue work" in each.getMessage()]
    assert told == ["WARNING", "INFO"]


async def test_another_program_at_the_address_is_waited_out(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that is no storage's is told once, and the queue is asked again and again."""
    asked = 0

    async def page(_: HttpRequest) -> HttpResponse:
        nonlocal asked
        asked += 1
        return HttpResponse(200, {"Content-Type": "text/html"}, b"<html>not closed")

    front = HttpFront(page)
    port = await front.start(LOOPBACK, 0)
    text = f"AccountName=x;AccountKey=a2V5;QueueEndpoint=http://{LOOPBACK}:{port}/x"
    async with (
        QueueClient.from_connection_string(text, "work") as queue,
        listening(QueueListener(queue, None, SOON, function)),
    ):
        await until(lambda: asked > 3)
    await front.stop(0)
    assert caplog.text.count("Queue work cannot be read") == 1


async def test_stop_waits_for_what_runs(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """A stop lets a running message end, and takes no other."""
    function.gate.clear()
    await queue.send_message(stored("running"))
    listener = QueueListener(queue, poison, SOON, function)
    listener.start()
    await until(lambda: function.running == 1)
    stopping = asyncio.create_task(listener.stop(SECONDS))
    await asyncio.sleep(0)
    await queue.send_message(stored("too late"))
    loop = asyncio.get_running_loop()
    sent = loop.time()
    await until(lambda: loop.time() - sent > 5 * SOON.max_polling_interval)
    function.gate.set()
    await stopping
    assert function.texts == ["running"]
    assert [each.content for each in await queue.peek_messages(32)] == [stored("too late")]
    assert await count(queue) == 1


async def test_stop_cuts_off_what_takes_too_long(
    queue: QueueClient, poison: QueueClient, function: Function
) -> None:
    """A message that is cut off by the stop stays in the queue, hidden."""
    function.gate.clear()
    await queue.send_message(stored("endless"))
    listener = QueueListener(queue, poison, SOON, function)
    listener.start()
    await until(lambda: function.running == 1)
    await listener.stop(0.05)
    assert function.running == 0
    assert await count(queue) == 1
    assert await queue.peek_messages() == []
