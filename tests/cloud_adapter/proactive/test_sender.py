"""NotificationSender: what is repeated and when, on the wire of the local connector."""

import asyncio
import gc
import itertools
import json
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.faults import Faults
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.proactive.notifications import MAX_DELAY_SECONDS, MAX_RUNS_WITHOUT_RESULT
from cloud_adapter.proactive.run import MAX_CONCURRENT
from cloud_adapter.proactive.sender import REQUESTS_PER_SECOND, RETRIES
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import Notifier, texts
from tests.support.timing.condition import comes_true
from tests.support.timing.stepped_clock import SteppedClock

HELLO = {"to": "all", "text": "hello"}


class Attempt(NamedTuple):
    """One attempt at a call of the connector.

    Attributes:
        start: on the notifications' clock.
        end: on the same clock.
        status: the HTTP status.
    """

    start: float
    end: float
    status: int


def record_attempts(
    app: ComposedApp, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch, found: list[Attempt]
) -> None:
    """Record each of an app's attempts."""
    request = app.parts.pool.request

    async def recorded(*arguments: Any, **options: Any) -> Any:
        start = clock()
        answer = await request(*arguments, **options)
        if "/v3/conversations" in arguments[1]:
            found.append(Attempt(start, clock(), answer.status))
        return answer

    monkeypatch.setattr(app.parts.pool, "request", recorded)


@pytest.fixture
def attempts(
    app: ComposedApp, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> list[Attempt]:
    """Each attempt at a call of the connector."""
    found: list[Attempt] = []
    record_attempts(app, clock, monkeypatch, found)
    return found


def fullest_second(attempts: Sequence[Attempt]) -> int:
    """The most attempts that started within a second."""
    times = [each.start for each in attempts]
    return max(sum(start <= when < start + 1 for when in times) for start in times)


async def test_one_in_five_is_refused(
    notifier: Notifier, clock: SteppedClock, faults: Faults, attempts: list[Attempt]
) -> None:
    """500 conversations and a connector that answers 429 to each fifth call: each gets it once."""
    conversations = await notifier.add_users(500)
    faults.set(status=429, retry_after=1, every=5, path="/activities")
    began, clock_began = time.monotonic(), clock()
    await notifier.send(HELLO)
    await notifier.send_enqueued()
    seconds, clock_seconds = time.monotonic() - began, clock() - clock_began
    counts = [len(each.activities) for each in conversations]
    refused = [each.end for each in attempts if each.status == HTTPStatus.TOO_MANY_REQUESTS]
    print(
        f"\n{counts.count(1)} of {len(counts)} delivered once, {len(attempts)} attempts,"
        f" {len(refused)} refused, {clock_seconds:.0f} s on the clock, {seconds:.1f} s"
    )
    assert counts == [1] * 500
    assert (await notifier.report())[-1]["summary"] == {"sent": 500}
    assert len(refused) == len(attempts) - 500 >= 120
    assert fullest_second(attempts) <= REQUESTS_PER_SECOND + MAX_CONCURRENT
    # Those that were allowed before the pause may still start in it, but no others.
    starts = [each.start for each in attempts]
    in_pauses = [sum(end + 0.5 < when < end + 0.95 for when in starts) for end in refused]
    assert sum(in_pauses) <= len(attempts) / 50


async def test_a_refused_call_waits_once(
    notifier: Notifier, faults: Faults, attempts: list[Attempt]
) -> None:
    """One pause for each refusal: the connector client does not repeat the call by itself."""
    await notifier.add_users(1)
    faults.set(status=429, retry_after=3, remaining=2, path="/activities")
    await notifier.send(HELLO)
    assert [each.status for each in attempts] == [429, 429, 201]
    pauses = [after.start - before.end for before, after in itertools.pairwise(attempts)]
    assert pauses == [pytest.approx(3)] * 2


async def test_refusals_end(notifier: Notifier, faults: Faults, attempts: list[Attempt]) -> None:
    """A recipient that keeps being refused is reported as failed after the last attempt."""
    await notifier.add_users(1)
    faults.set(status=412, path="/activities")
    await notifier.send(HELLO)
    [(result, reason)] = (await notifier.results()).values()
    assert (result, reason[:5]) == ("failed", "412: ")
    assert len(attempts) == RETRIES.max_attempts


async def test_long_pauses_end(notifier: Notifier, faults: Faults) -> None:
    """A service that asks to wait for long, again and again: each recipient gets a result."""
    await notifier.add_users(3)
    faults.set(status=429, retry_after=100, path="/activities")
    await notifier.send(HELLO)
    await notifier.send_enqueued()
    delays = [delay for _, delay in notifier.queue.enqueued]
    assert len(delays) == MAX_RUNS_WITHOUT_RESULT
    assert all(0 <= delay <= 100 for delay in delays)
    assert {result for result, _ in (await notifier.results()).values()} == {"failed"}
    assert (await notifier.report())[-1]["summary"] == {"failed": 3}


async def test_a_pause_beyond_the_run(
    notifier: Notifier, faults: Faults, clock: SteppedClock
) -> None:
    """The rest is put back into the queue for later, with all that the message says."""
    [conversation] = await notifier.add_users(1)
    faults.set(status=429, retry_after=600, remaining=1, path="/activities")
    await notifier.send({**HELLO, "channel": "msteams", "id": "n1"})
    assert texts(conversation) == []
    assert await notifier.report("n1") == []
    [(message, delay)] = notifier.queue.enqueued
    assert json.loads(message) == {
        "v": 1,
        **HELLO,
        "to": ["all"],
        "channel": "msteams",
        "id": "n1",
        "fruitless": 1,
    }
    assert 400 <= delay <= 600
    assert not await notifier.visible()
    await clock.sleep(600)
    await notifier.send(message)
    assert texts(conversation) == ["hello"]


async def test_a_pause_of_weeks(notifier: Notifier, faults: Faults) -> None:
    """A queue hides no message for longer than a week."""
    await notifier.add_users(1)
    faults.set(status=429, retry_after=10**7, path="/activities")
    await notifier.send(HELLO)
    [(_, delay)] = notifier.queue.enqueued
    assert delay == MAX_DELAY_SECONDS


@pytest.mark.parametrize(
    ("status", "result", "why"),
    [
        (403, "failed", "blocked or removed"),
        (400, "failed", "400"),
        (502, "uncertain", "502"),
        (504, "uncertain", "504"),
        (503, "uncertain", "503"),
    ],
)
async def test_what_the_connector_refuses(
    notifier: Notifier, faults: Faults, attempts: list[Attempt], status: int, result: str, why: str
) -> None:
    """Each status once: what may have arrived is not sent again, what was refused neither."""
    await notifier.add_users(1)
    faults.set(status=status, path="/activities")
    await notifier.send(HELLO)
    [(found, reason)] = (await notifier.results()).values()
    assert found == result
    assert why in reason
    assert [each.status for each in attempts] == [status]


async def test_a_connector_that_is_down(
    notifier: Notifier, running_cloud: CloudThread, clock: SteppedClock
) -> None:
    """Nothing was sent, so there are a few more attempts, and then a result."""
    await notifier.add_users(1)
    running_cloud.stop("connector")
    try:
        await notifier.send(HELLO)
    finally:
        running_cloud.start("connector")
    [(result, reason)] = (await notifier.results()).values()
    assert (result, reason) == ("failed", "the channel cannot be reached")
    assert len([each for each in clock.slept if each >= 1]) == RETRIES.max_connects - 1


async def test_a_lost_response(
    notifier: Notifier, running_cloud: CloudThread, faults: Faults
) -> None:
    """The message may have arrived, so it is not sent again."""
    await notifier.add_users(1)
    connector = running_cloud.cloud.connector.server
    before = connector.requests.total()
    faults.set(silent=True, path="/activities")
    sending = asyncio.create_task(notifier.send(HELLO))
    await comes_true(lambda: connector.requests.total() > before)
    running_cloud.stop("connector")
    faults.clear()
    running_cloud.start("connector")
    await sending
    assert connector.requests.total() == before + 1
    [result] = (await notifier.results()).values()
    assert result == ("uncertain", "no answer: it may have arrived")


async def test_the_bot_is_unauthorized(notifier: Notifier, faults: Faults) -> None:
    """A 401 concerns no single recipient: none of them gets a result before another run."""
    conversations = await notifier.add_users(30)
    faults.set(status=401, path="/activities")
    await notifier.send(HELLO)
    assert await notifier.report() == []
    faults.clear()
    await notifier.send_enqueued()
    assert [texts(each) for each in conversations] == [["hello"]] * 30


async def test_no_reference_cycles(notifier: Notifier, faults: Faults) -> None:
    """The errors of a run, and with them all that it used, are freed without the collector."""

    def in_use() -> int:
        return sum(type(each) is ConnectorError for each in gc.get_objects())

    await notifier.add_users(10)
    faults.set(status=401, path="/activities")
    gc.collect()
    gc.disable()
    try:
        before = in_use()
        await notifier.send(HELLO)
        assert len(notifier.queue.enqueued) == 1, "the run did not fail"
        assert in_use() == before
    finally:
        gc.enable()


async def test_two_processes_share_the_limits(
    app: ComposedApp,
    cloud: Cloud,
    clock: SteppedClock,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
) -> None:
    """Two notifications, each in its own process, are together no faster than one."""
    attempts: list[Attempt] = []
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as second:
        notifiers = Notifier(app, clock), Notifier(second, clock)
        conversations = await notifiers[0].add_users(60)
        for each in (app, second):
            record_attempts(each, clock, monkeypatch, attempts)

        async def send(notifier: Notifier, name: str) -> None:
            await notifier.send({"to": "all", "text": name}, name)
            await notifier.send_enqueued()

        await asyncio.gather(send(notifiers[0], "one"), send(notifiers[1], "two"))
        assert any(each.queue.enqueued for each in notifiers)
    assert [sorted(texts(each)) for each in conversations] == [["one", "two"]] * 60
    assert fullest_second(attempts) <= REQUESTS_PER_SECOND + MAX_CONCURRENT
