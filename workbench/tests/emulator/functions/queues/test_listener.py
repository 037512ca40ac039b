"""QueueListener: how it runs, retries and moves the messages of a queue in Azurite."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from bot_workbench.emulator.functions.errors import InvocationError
from bot_workbench.emulator.functions.http_front import HttpFront, HttpRequest, HttpResponse
from bot_workbench.emulator.functions.queues.listener import QueueListener
from bot_workbench.emulator.functions.queues.queue import StorageQueue
from bot_workbench.emulator.functions.queues.settings import QueueSettings
from bot_workbench.emulator.functions.storage.service import StorageService
from bot_workbench.emulator.functions.workers.protocol import TypedData
from bot_workbench.emulator.storage.azurite import Azurite
from tests.support.storage.counting_function import CountingFunction, stored
from tests.support.storage.host_queues import host_queues
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock

SOON = QueueSettings(max_polling_interval=0.1)


async def count(queue: QueueClient) -> int:
    """The number of messages in the queue, hidden ones included; 0 when it is missing."""
    try:
        properties = await queue.get_queue_properties()
    except ResourceNotFoundError:
        return 0
    return properties.approximate_message_count or 0


async def until_count(queue: QueueClient, expected: int) -> None:
    """Wait until the queue has so many messages."""
    counting = asyncio.create_task(count(queue))

    def is_expected() -> bool:
        nonlocal counting
        if counting.done() and counting.result() != expected:
            counting = asyncio.create_task(count(queue))
        return counting.done()

    await comes_true(is_expected)


async def only_message(queue: QueueClient) -> QueueMessage:
    """Dequeue the only message of a queue."""
    [message] = [each async for each in queue.receive_messages()]
    return message


@pytest.fixture
def function() -> CountingFunction:
    """A function that succeeds."""
    return CountingFunction()


@asynccontextmanager
async def listening(listener: QueueListener) -> AsyncIterator[None]:
    """Start the listener, and stop it at the end."""
    listener.start()
    try:
        yield
    finally:
        await listener.stop(0.1)


@dataclass
class Work:
    """A queue, its poison queue, and the function that runs its messages.

    Attributes:
        queue: empty at first.
        poison: does not exist at first.
        function: succeeds, unless the test says otherwise.
        account: the listeners' access to both queues.
        requests: method, path and query of each request of the listeners.
    """

    queue: QueueClient
    poison: QueueClient
    function: CountingFunction
    account: StorageService
    requests: list[str]

    @property
    def polled(self) -> StorageQueue:
        """The queue, as a listener has it."""
        return StorageQueue(self.account, self.queue.queue_name)

    @property
    def polled_poison(self) -> StorageQueue:
        """The poison queue, as a listener has it."""
        return StorageQueue(self.account, self.poison.queue_name)

    def listening(self, settings: QueueSettings = SOON) -> AbstractAsyncContextManager[None]:
        """A listener of the queue, while it is entered."""
        return listening(QueueListener(self.polled, self.polled_poison, settings, self.function))


@pytest.fixture
async def work(
    service: QueueServiceClient,
    function: CountingFunction,
    account: StorageService,
    requests: list[str],
) -> Work:
    queue = await service.create_queue("work")
    return Work(queue, service.get_queue_client("work-poison"), function, account, requests)


async def test_message_is_run_and_deleted(work: Work) -> None:
    """The function gets the text that was sent, and the message is deleted."""
    await work.queue.send_message(stored("gr\u00fc\u00df dich"))
    async with work.listening():
        await until_count(work.queue, 0)
    assert work.function.contents == ["gr\u00fc\u00df dich"]


async def test_message_without_encoding(work: Work) -> None:
    """With messageEncoding `none` the text is passed on unchanged, even markup."""
    settings = QueueSettings(max_polling_interval=0.1, base64=False)
    await work.queue.send_message("<a>&b</a>")
    async with work.listening(settings):
        await until_count(work.queue, 0)
    assert work.function.contents == ["<a>&b</a>"]


async def test_metadata_of_a_message(work: Work) -> None:
    """Ids are strings; the dequeue count and the times (ISO 8601, UTC) are JSON."""
    sent = await work.queue.send_message(stored("x"), time_to_live=3600)
    async with work.listening():
        await until_count(work.queue, 0)
    [metadata] = work.function.metadata
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


async def test_failed_message_is_run_again(work: Work) -> None:
    """A message whose function raised is run again at once, with a higher dequeue count."""
    work.function.fails = 1
    await work.queue.send_message(stored("x"))
    async with work.listening():
        await until_count(work.queue, 0)
    assert [each["DequeueCount"].json for each in work.function.metadata] == ["1", "2"]


async def test_failed_message_is_hidden_for_the_visibility_timeout(work: Work) -> None:
    """A failed message is hidden for the visibilityTimeout."""
    work.function.fails = 1
    settings = QueueSettings(max_polling_interval=0.1, visibility_timeout=77.0)
    await work.queue.send_message(stored("x"))
    async with work.listening(settings):
        await comes_true(lambda: any("visibilitytimeout=77" in each for each in work.requests))
    assert await count(work.queue) == 1
    assert await work.queue.peek_messages() == []


async def test_message_that_fails_too_often_is_moved(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """After maxDequeueCount attempts the message is moved, unchanged, to the poison queue."""
    work.function.fails = 99
    settings = QueueSettings(max_polling_interval=0.1, max_dequeue_count=3)
    await work.queue.send_message(stored("private"))
    with caplog.at_level(logging.INFO):
        async with work.listening(settings):
            await until_count(work.poison, 1)
            await until_count(work.queue, 0)
    assert len(work.function.contents) == 3
    assert (await only_message(work.poison)).content == stored("private")
    assert "failed 3 times: moved to work-poison" in caplog.text
    assert "Traceback: refused" in caplog.text
    assert "private" not in caplog.text


async def test_message_over_the_maximum_dequeue_count_is_not_run(work: Work) -> None:
    """A message that was dequeued too often already is moved without being run."""
    await work.queue.send_message(stored("x"))
    for _ in range(2):
        await work.queue.update_message(await only_message(work.queue), visibility_timeout=0)
    settings = QueueSettings(max_polling_interval=0.1, max_dequeue_count=2)
    async with work.listening(settings):
        await until_count(work.poison, 1)
        await until_count(work.queue, 0)
    assert work.function.contents == []


async def test_message_that_is_not_base64_is_not_run(work: Work) -> None:
    """A message that is not base64 is moved without being run."""
    await work.queue.send_message("not base64")
    await work.queue.send_message(stored("next"))
    async with work.listening():
        await until_count(work.poison, 1)
        await until_count(work.queue, 0)
    assert work.function.contents == ["next"]
    assert (await only_message(work.poison)).content == "not base64"


async def test_white_space_in_base64(work: Work) -> None:
    """Blanks, tabs and line breaks in base64 are ignored, as .NET does."""
    text = stored("a longer text")
    await work.queue.send_message(f" {text[:4]}\t{text[4:8]}\r\n{text[8:]}\n")
    async with work.listening():
        await until_count(work.queue, 0)
    assert work.function.contents == ["a longer text"]
    assert await count(work.poison) == 0


async def test_message_that_is_not_utf_8_fails_as_often_as_any_other(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt at base64 of bytes that are not UTF-8 fails before the function gets them."""
    await work.queue.send_message("/w==")
    async with work.listening(QueueSettings(max_polling_interval=0.1, max_dequeue_count=3)):
        await until_count(work.poison, 1)
        await until_count(work.queue, 0)
    assert caplog.text.count("failed: its content is not UTF-8") == 3
    assert work.function.contents == []
    assert (await only_message(work.poison)).content == "/w=="


async def test_failed_message_of_a_poison_queue_stays_hidden(work: Work) -> None:
    """Without a poison queue a failed message is neither deleted nor run again at once."""
    work.function.fails = 1
    await work.queue.send_message(stored("bad"))
    async with listening(QueueListener(work.polled, None, SOON, work.function)):
        await comes_true(lambda: not work.function.fails)
        await work.queue.send_message(stored("next"))
        await until_count(work.queue, 1)
    assert work.function.contents == ["bad", "next"]


async def test_batch_size_and_threshold_limit_concurrency(work: Work) -> None:
    """At most batchSize + newBatchThreshold messages run at once."""
    settings = QueueSettings(max_polling_interval=0.1, batch_size=4, new_batch_threshold=2)
    work.function.gate.clear()
    for number in range(20):
        await work.queue.send_message(stored(str(number)))
    async with work.listening(settings):
        await comes_true(lambda: work.function.running == 4)
        assert len(await work.queue.peek_messages(32)) == 16
        work.function.gate.set()
        await until_count(work.queue, 0)
    assert work.function.peak <= 6
    assert len(work.function.contents) == 20


async def test_more_messages_are_fetched_at_the_threshold(work: Work) -> None:
    """While at most newBatchThreshold messages run, a slow one does not delay the others."""
    slow = asyncio.Event()
    texts: list[str] = []

    async def function(data: TypedData, _: Mapping[str, TypedData]) -> None:
        texts.append(data.string)
        if data.string == "slow":
            await slow.wait()

    settings = QueueSettings(max_polling_interval=0.1, batch_size=2, new_batch_threshold=1)
    for text in ("slow", "1", "2", "3", "4"):
        await work.queue.send_message(stored(text))
    async with listening(QueueListener(work.polled, work.polled_poison, settings, function)):
        await comes_true(lambda: len(texts) == 5)
        await until_count(work.queue, 1)
        slow.set()
        await until_count(work.queue, 0)


async def test_nothing_is_fetched_above_the_threshold(work: Work) -> None:
    """While more than newBatchThreshold messages run, no other is dequeued."""
    settings = QueueSettings(max_polling_interval=0.1, batch_size=2, new_batch_threshold=0)
    work.function.gate.clear()
    for text in ("1", "2", "3"):
        await work.queue.send_message(stored(text))
    async with work.listening(settings):
        await comes_true(lambda: work.function.running == 2)
        assert [each.content for each in await work.queue.peek_messages(32)] == [stored("3")]
        work.function.gate.set()
        await until_count(work.queue, 0)
    assert work.function.peak == 2


async def test_long_run_keeps_its_message_hidden(work: Work) -> None:
    """A message that still runs stays hidden by renewals, and is deleted at the end."""

    def renewals() -> int:
        return sum(
            each.startswith("PUT") and "visibilitytimeout=99" in each for each in work.requests
        )

    work.function.gate.clear()
    await work.queue.send_message(stored("x"))
    async with listening(
        QueueListener(
            work.polled, work.polled_poison, SOON, work.function, 99, renewal_seconds=0.02
        )
    ):
        await comes_true(lambda: renewals() == 3)
        work.function.gate.set()
        await until_count(work.queue, 0)
    assert work.function.contents == ["x"]


@pytest.mark.parametrize("end", ["returns", "raises", "raises for the last time"])
@pytest.mark.parametrize("deletes", [False, True], ids=["hides", "deletes"])
async def test_function_that_takes_its_message_over(
    work: Work, caplog: pytest.LogCaptureFixture, deletes: bool, end: str
) -> None:
    """The host finds a stale receipt or no message, and says and repeats nothing."""

    async def function(_: TypedData, metadata: Mapping[str, TypedData]) -> None:
        own = (metadata["Id"].string, metadata["PopReceipt"].string)
        if deletes:
            await work.queue.delete_message(*own)
        else:
            await work.queue.update_message(*own, visibility_timeout=60)
        tried = len(writes())
        await comes_true(lambda: len(writes()) == tried + 1)  # the renewal
        await settled()
        if end != "returns":
            raise InvocationError("Traceback: refused")

    def writes() -> list[str]:
        """The listener's requests that need the receipt."""
        return [each for each in work.requests if "/work/messages/" in each]

    settings = QueueSettings(
        max_polling_interval=0.1, max_dequeue_count=1 if end.endswith("time") else 5
    )
    await work.queue.send_message(stored("x"))
    listener = QueueListener(
        work.polled, work.polled_poison, settings, function, renewal_seconds=0.02
    )
    listener.start()
    with caplog.at_level(logging.INFO, "bot_workbench"):
        await comes_true(lambda: len(writes()) == 2)
        await listener.stop(60)  # until the message has been dealt with
    assert len(writes()) == 2
    levels = [each.levelname for each in caplog.records if each.name.endswith("listener")]
    expected = {"returns": ["INFO"], "raises": ["ERROR"]}.get(end, ["ERROR", "WARNING"])
    assert levels == expected
    assert await count(work.queue) == (0 if deletes else 1)
    assert await count(work.poison) == end.endswith("time")


@pytest.mark.parametrize("content", [b"\xff\x00not text", b"text"])
async def test_binary_trigger(work: Work, content: bytes) -> None:
    """A function that wants bytes gets them, whatever they are."""
    await work.queue.send_message(base64.b64encode(content).decode())
    listener = QueueListener(work.polled, work.polled_poison, SOON, work.function, is_binary=True)
    async with listening(listener):
        await until_count(work.queue, 0)
    assert work.function.contents == [content]


async def test_missing_queue(
    service: QueueServiceClient,
    account: StorageService,
    function: CountingFunction,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A queue that is created later is polled from then on; each change is logged once."""
    queue = service.get_queue_client("later")
    with caplog.at_level(logging.INFO, "bot_workbench"):
        async with listening(QueueListener(StorageQueue(account, "later"), None, SOON, function)):
            await comes_true(lambda: "Queue later" in caplog.text)
            await queue.create_queue()
            await queue.send_message(stored("x"))
            await until_count(queue, 0)
    logged = [each.levelname for each in caplog.records if "Queue later" in each.getMessage()]
    assert logged == ["INFO", "INFO"]
    assert function.contents == ["x"]


async def test_storage_outage(function: CountingFunction, caplog: pytest.LogCaptureFixture) -> None:
    """A storage that stops and starts is polled again; each change is logged once."""
    azurite = Azurite()
    await azurite.start()
    text = azurite.connection_string()
    try:
        async with (
            QueueClient.from_connection_string(text, "work", retry_total=0) as queue,
            host_queues(text) as account,
        ):
            await queue.create_queue()
            polled = StorageQueue(account, "work")
            with caplog.at_level(logging.INFO, "bot_workbench"):
                async with listening(QueueListener(polled, None, SOON, function)):
                    await queue.send_message(stored("before"))
                    await until_count(queue, 0)
                    await azurite.stop()
                    await comes_true(lambda: "is unavailable" in caplog.text)
                    await azurite.start()
                    await queue.create_queue()
                    await queue.send_message(stored("after"))
                    await until_count(queue, 0)
    finally:
        await azurite.stop()
    assert function.contents == ["before", "after"]
    logged = [each.levelname for each in caplog.records if "Queue work" in each.getMessage()]
    assert logged == ["WARNING", "INFO"]


@pytest.mark.parametrize("seconds", [0.0, 23.0])
async def test_storage_that_refuses_connections(
    function: CountingFunction,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
) -> None:
    """It ends a host that may end, but not before the time is over."""
    clock = MovedClock(monkeypatch)
    stopped = asyncio.Event()
    text = "AccountName=x;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/x"
    async with host_queues(text) as account:
        listener = QueueListener(
            StorageQueue(account, "work"),
            *(None, SOON, function),
            stop_host=stopped.set,
            refused_seconds=seconds,
        )
        async with listening(listener):
            await clock.until(lambda: "is unavailable" in caplog.text)
            if seconds:
                clock.move(seconds - 5)
                await settled()
                assert not stopped.is_set()
                clock.move(6)
            await clock.until(stopped.is_set)
    assert caplog.text.count("An unhandled exception has occurred. Host is shutting down") == 1


@pytest.mark.parametrize(("status", "ends"), [(403, True), (500, False), (503, False)])
async def test_storage_that_answers_with_an_error(
    function: CountingFunction, status: int, ends: bool
) -> None:
    """Only an answer that forbids polling ends a host that may end, and it does at once."""
    asked = 0
    stopped = asyncio.Event()

    async def refusal(_: HttpRequest) -> HttpResponse:
        nonlocal asked
        asked += 1
        return HttpResponse(status)

    front = HttpFront(refusal)
    await front.start()
    text = f"AccountName=x;AccountKey=a2V5;QueueEndpoint={front.url}/x"
    async with host_queues(text) as account:
        listener = QueueListener(
            StorageQueue(account, "work"),
            *(None, SOON, function),
            stop_host=stopped.set,
            refused_seconds=0,
        )
        async with listening(listener):
            await comes_true(lambda: stopped.is_set() or asked > 3)
    await front.stop(0)
    assert stopped.is_set() == ends
    assert asked == 1 or not ends


async def test_another_program_at_the_address(
    function: CountingFunction, caplog: pytest.LogCaptureFixture
) -> None:
    """A response that is not a storage's is logged once, and polling continues."""
    asked = 0

    async def page(_: HttpRequest) -> HttpResponse:
        nonlocal asked
        asked += 1
        return HttpResponse(200, {"Content-Type": "text/html"}, b"<html>not closed")

    front = HttpFront(page)
    await front.start()
    text = f"AccountName=x;AccountKey=a2V5;QueueEndpoint={front.url}/x"
    async with (
        host_queues(text) as account,
        listening(QueueListener(StorageQueue(account, "work"), None, SOON, function)),
    ):
        await comes_true(lambda: asked > 3)
    await front.stop(0)
    assert caplog.text.count("Queue work is unavailable") == 1


async def test_stop_waits_for_running_messages(work: Work, front: HttpFront) -> None:
    """A stop lets a running message finish, and ends polling."""
    work.function.gate.clear()
    await work.queue.send_message(stored("running"))
    listener = QueueListener(work.polled, work.polled_poison, SOON, work.function)
    listener.start()
    await comes_true(lambda: work.function.running == 1)
    stopping = asyncio.create_task(listener.stop(grace_seconds=60))
    await settled()
    # Azurite may still get a poll that the stop has interrupted: it would hide the message.
    await comes_true(lambda: not front.running)
    await work.queue.send_message(stored("too late"))
    # By the polls of another listener with the same interval, this one would have polled too.
    async with listening(QueueListener(work.polled_poison, None, SOON, work.function)):
        await comes_true(lambda: sum("work-poison/messages" in each for each in work.requests) > 5)
    work.function.gate.set()
    await stopping
    assert work.function.contents == ["running"]
    assert [each.content for each in await work.queue.peek_messages(32)] == [stored("too late")]
    assert await count(work.queue) == 1


async def test_stop_cancels_a_message_that_takes_too_long(work: Work) -> None:
    """A message that a stop interrupts stays in the queue, hidden."""
    work.function.gate.clear()
    await work.queue.send_message(stored("endless"))
    listener = QueueListener(work.polled, work.polled_poison, SOON, work.function)
    listener.start()
    await comes_true(lambda: work.function.running == 1)
    await listener.stop(0)
    assert work.function.running == 0
    assert await count(work.queue) == 1
    assert await work.queue.peek_messages() == []
