"""Notifications: whole flows of the composed app, in front of the local cloud and Azurite."""

import asyncio
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity

from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.notifications import (
    BUSY_PAUSE,
    LOCK,
    LONGEST_RUN,
    MOST_FRUITLESS,
    POISON_QUEUE,
)
from cloud_adapter.proactive.rate_limiter import REQUESTS_PER_SECOND
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from cloud_adapter.proactive.report import BATCH_SIZE
from cloud_adapter.proactive.run import IN_FLIGHT
from cloud_adapter.proactive.sender import MOST_REFUSALS
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.storage.blobs import Blob, BlobContainer
from emulator.cloud import Cloud
from emulator.faults import Faults
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notified_app import TENANT, NotifiedApp, heard
from tests.support.timing.fast_time import FastTime

HELLO = {"to": "all", "text": "hello"}
SPEED = 50.0
"""The notifications' seconds in a real one: 40 a second are more than this machine can send."""


@pytest.fixture
def clock() -> FastTime:
    """The notifications' time."""
    return FastTime(SPEED)


@pytest.fixture
async def app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str
) -> AsyncIterator[ComposedApp]:
    """The composed app with storage."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as app:
        yield app


@pytest.fixture
async def told(app: ComposedApp, clock: FastTime) -> NotifiedApp:
    """The app that is told to tell something."""
    return NotifiedApp(app, clock)


@pytest.fixture
def faults(cloud: Cloud) -> Iterator[Faults]:
    """The faults of the connector, which is well again afterwards."""
    yield cloud.connector.server.faults
    cloud.connector.server.faults.clear()


class Attempt(NamedTuple):
    """One attempt at a call: its begin and end on the notifications' clock."""

    began: float
    ended: float
    status: int


def note(
    app: ComposedApp, clock: FastTime, monkeypatch: pytest.MonkeyPatch, found: list[Attempt]
) -> None:
    """Note each of an app's attempts."""
    request = app.parts.pool.request

    async def noted(*arguments: Any, **options: Any) -> Any:
        began = clock()
        answer = await request(*arguments, **options)
        if "/v3/conversations" in arguments[1]:
            found.append(Attempt(began, clock(), answer.status))
        return answer

    monkeypatch.setattr(app.parts.pool, "request", noted)


@pytest.fixture
def attempts(app: ComposedApp, clock: FastTime, monkeypatch: pytest.MonkeyPatch) -> list[Attempt]:
    """Each attempt at a call of the connector."""
    found: list[Attempt] = []
    note(app, clock, monkeypatch, found)
    return found


def fullest_second(attempts: list[Attempt]) -> int:
    """The most attempts that began within a second."""
    times = [each.began for each in attempts]
    return max(sum(start <= when < start + 1 for when in times) for start in times)


async def test_all_conversations(told: NotifiedApp, caplog: pytest.LogCaptureFixture) -> None:
    """Each gets it once, at the end of the conversation; the report says so, the log counts."""
    caplog.set_level(logging.INFO, "cloud_adapter")
    conversations = await told.meet(3)
    await told.send(HELLO)
    for conversation in conversations:
        [activity] = conversation.activities
        assert activity["text"] == "hello"
        assert "replyToId" not in activity
    results = await told.results()
    assert results == {f"msteams/{each.id}": ("sent", "") for each in conversations}
    assert (await told.report())[-1]["summary"] == {"sent": 3}
    assert "Notification m1 is done: 3 sent" in caplog.text
    assert "hello" not in caplog.text


async def test_all_of_one_channel(told: NotifiedApp) -> None:
    """Other channels' conversations get nothing; without `channel` all conversations are meant."""
    teams, slack = await told.meets(1), await told.meets(2, "slack")
    await told.send({**HELLO, "channel": "slack"})
    assert (heard(teams), heard(slack)) == ([], ["hello"])
    assert (await told.report())[-1] == {"summary": {"sent": 1}, "channels": {"slack": 1}}
    await told.send(HELLO, "m2")
    assert (heard(teams), heard(slack)) == (["hello"], ["hello", "hello"])
    assert (await told.report("m2"))[-1]["channels"] == {"msteams": 1, "slack": 1}


async def test_a_long_one_keeps_its_channel(told: NotifiedApp, faults: Faults) -> None:
    """The message that is put back into the queue names the channel, too."""
    await told.meet(1)
    faults.set(status=429, retry_after=3600, path="/activities")
    await told.send({**HELLO, "channel": "msteams"})
    [(message, _)] = told.queue.put_back
    assert json.loads(message)["channel"] == "msteams"


async def test_a_card(told: NotifiedApp) -> None:
    """A card goes without a text, as an attachment."""
    [conversation] = await told.meet(1)
    card = {"type": "AdaptiveCard", "version": "1.5", "body": []}
    await told.send({"to": "all", "card": card})
    [activity] = conversation.activities
    [attachment] = activity["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"] == card


async def test_one_in_five_is_refused(
    told: NotifiedApp, clock: FastTime, faults: Faults, attempts: list[Attempt]
) -> None:
    """500 conversations and a connector that answers 429 to each fifth call: each gets it once."""
    conversations = await told.meet(500)
    faults.set(status=429, retry_after=1, every=5, path="/activities")
    began, fast = time.monotonic(), clock()
    await told.send(HELLO)
    for message, _ in told.queue.put_back:  # grows while the notification goes on
        await told.send(message)
    seconds, fast = time.monotonic() - began, clock() - fast
    counts = [len(each.activities) for each in conversations]
    refused = [each.ended for each in attempts if each.status == 429]
    runs = 1 + len(told.queue.put_back)
    print("\n| conversations | delivered once | more than once | calls | 429 | runs | fast s | s |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {len(counts)} | {counts.count(1)} | {sum(each > 1 for each in counts)}"
        f" | {len(attempts)} | {len(refused)} | {runs} | {fast:.0f} | {seconds:.1f} |"
    )
    assert counts == [1] * 500
    assert (await told.report())[-1]["summary"] == {"sent": 500}
    assert len(refused) == len(attempts) - 500 >= 120
    times = [each.began for each in attempts]
    assert fullest_second(attempts) <= REQUESTS_PER_SECOND + IN_FLIGHT
    # Who had a turn before the pause may still begin in it, but no others.
    in_pauses = [sum(end + 0.5 < when < end + 0.95 for when in times) for end in refused]
    assert sum(in_pauses) <= len(attempts) / 50


async def test_nothing_waits_twice(
    told: NotifiedApp, faults: Faults, attempts: list[Attempt]
) -> None:
    """A refused call is not tried again beneath the sender: one pause for each refusal."""
    await told.meet(1)
    faults.set(status=429, retry_after=3, remaining=2, path="/activities")
    await told.send(HELLO)
    assert [each.status for each in attempts] == [429, 429, 201]
    for refused, again in itertools.pairwise(attempts):
        assert 3 <= again.began - refused.ended < 3 * SPEED  # as the notifications' clock counts


async def test_refusals_end(told: NotifiedApp, faults: Faults, attempts: list[Attempt]) -> None:
    """Who is refused for ever is given up, and reported."""
    await told.meet(1)
    faults.set(status=412, path="/activities")
    await told.send(HELLO)
    [(result, reason)] = (await told.results()).values()
    assert (result, reason[:5]) == ("failed", "412: ")
    assert len(attempts) == MOST_REFUSALS


async def test_waiting_ends(app: ComposedApp, faults: Faults) -> None:
    """A service that asks to wait for long, again and again: each recipient gets a result."""
    told = NotifiedApp(app, FastTime(2000))
    await told.meet(3)
    faults.set(status=429, retry_after=100, path="/activities")
    await told.send(HELLO)
    for message, delay in told.queue.put_back:
        assert 0 <= delay <= 100
        await told.send(message)
    assert len(told.queue.put_back) == MOST_FRUITLESS
    assert {result for result, _ in (await told.results()).values()} == {"failed"}
    assert (await told.report())[-1]["summary"] == {"failed": 3}


async def test_a_pause_beyond_the_run(app: ComposedApp, faults: Faults) -> None:
    """A service that asks for longer than the run lasts: the rest is put back, and sent later."""
    clock = FastTime(2000)
    told = NotifiedApp(app, clock)
    [conversation] = await told.meet(1)
    faults.set(status=429, retry_after=600, remaining=1, path="/activities")
    await told.send({**HELLO, "id": "n1"})
    assert heard(conversation) == []
    assert await told.report("n1") == []
    [(message, delay)] = told.queue.put_back
    assert 400 <= delay <= 600
    assert not await told.waiting()  # it cannot be seen yet
    await clock.sleep(600)
    await told.send(message)
    assert heard(conversation) == ["hello"]


async def test_a_pause_of_weeks(told: NotifiedApp, faults: Faults) -> None:
    """A queue hides no message for longer than a week."""
    await told.meet(1)
    faults.set(status=429, retry_after=10**7, path="/activities")
    await told.send(HELLO)
    [(_, delay)] = told.queue.put_back
    assert delay == 3600


async def test_a_long_one_goes_on(told: NotifiedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is up the message is put back under its id, and the next run sends the rest."""
    conversations = await told.meet(20)
    monkeypatch.setattr("cloud_adapter.proactive.notifications.LONGEST_RUN", 0.2)
    await told.send(HELLO)
    sent = sum(len(each.activities) for each in conversations)
    assert 0 < sent < 20
    [message] = await told.waiting()
    assert json.loads(message) == {"to": ["all"], "text": "hello", "id": "m1"}
    monkeypatch.setattr("cloud_adapter.proactive.notifications.LONGEST_RUN", LONGEST_RUN)
    await told.send(message, "m2")
    assert [heard(each) for each in conversations] == [["hello"]] * 20
    assert (await told.report())[-1]["summary"] == {"sent": 20}
    assert len(await told.report()) == 21
    assert await told.report("m2") == []


async def test_the_same_notification(told: NotifiedApp) -> None:
    """One that is finished is not sent again, to nobody."""
    [conversation] = await told.meet(1)
    await told.send({**HELLO, "id": "n1"}, "m1")
    await told.send({**HELLO, "id": "n1"}, "m2")
    assert heard(conversation) == ["hello"]
    new = await told.meets(7)
    await told.send({**HELLO, "id": "n1"}, "m3")
    assert heard(new) == []
    assert len(await told.report("n1")) == 2


async def test_recipients_by_each_of_their_ids(told: NotifiedApp) -> None:
    """A conversation, a user of the channel, one of Entra: three ways to one, who gets it once."""
    one, other = await told.meet(2)
    entra = "00000000-0000-0000-0000-000000000000"
    await told.send({"to": [one.id, "29:0", entra, f"msteams/{other.id}"], "text": "hello"})
    assert (heard(one), heard(other)) == (["hello"], ["hello"])
    results = await told.results()
    assert sorted(result for result, _ in results.values()) == ["repeated"] * 2 + ["sent"] * 2


async def test_a_personal_conversation_is_begun(app: ComposedApp, told: NotifiedApp) -> None:
    """Who was only seen in a group gets one, once by each id, and it is kept."""
    group = {"id": "19:g", "conversationType": "groupChat", "isGroup": True, "tenantId": TENANT}
    ada = {"id": "29:ada", "name": "Ada", "aadObjectId": "aaaaaaaa-0000-0000-0000-000000000001"}
    content = {"type": "message", "channelId": "msteams", "from": ada, "conversation": group}

    async def silent(_: TurnContext) -> None: ...

    await app.deliver(content, silent)
    before = set(app.cloud.conversations.by_id)
    await told.send({"to": [ada["id"], ada["aadObjectId"].upper()], "text": "hello"})
    [new] = set(app.cloud.conversations.by_id) - before
    conversation = app.cloud.conversations.find(new)
    assert set(conversation.members) == {"29:ada", app.account["id"]}
    assert heard(conversation) == ["hello"]
    await told.send({"to": "29:ada", "text": "again"}, "m2")
    assert heard(conversation) == ["hello", "again"]
    names = [
        entry async for entry in BlobContainer(told.account, REFERENCES).list("conversations/")
    ]
    assert len(names) == 2


async def test_nobody_by_that_id(told: NotifiedApp) -> None:
    """An unknown recipient is reported, and the others get it."""
    [conversation] = await told.meet(1)
    await told.send({"to": ["29:nobody", conversation.id], "text": "hello"})
    results = await told.results()
    assert results["29:nobody"][0] == "unknown"
    assert heard(conversation) == ["hello"]
    assert (await told.report())[-1]["summary"] == {"unknown": 1, "sent": 1}


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
    told: NotifiedApp, faults: Faults, attempts: list[Attempt], status: int, result: str, why: str
) -> None:
    """Each status once: what may have arrived is not sent again, what was refused neither."""
    await told.meet(1)
    faults.set(status=status, path="/activities")
    await told.send(HELLO)
    [(found, reason)] = (await told.results()).values()
    assert found == result
    assert why in reason
    assert [each.status for each in attempts] == [status]


async def test_a_conversation_that_is_gone(told: NotifiedApp, app: ComposedApp) -> None:
    """One that the channel does not know any more is reported."""
    gone, here = await told.meet(2)
    del app.cloud.conversations.by_id[gone.id]
    await told.send(HELLO)
    results = await told.results()
    assert results[f"msteams/{gone.id}"][0] == "failed"
    assert results[f"msteams/{gone.id}"][1].startswith("404 ConversationNotFound: ")
    assert heard(here) == ["hello"]


async def test_a_connector_that_is_down(
    told: NotifiedApp, running_cloud: Any, clock: FastTime
) -> None:
    """Nothing was sent: it is tried again a few times, then reported."""
    await told.meet(1)
    running_cloud.stop("connector")
    try:
        await told.send(HELLO)
    finally:
        running_cloud.start("connector")
    [(result, reason)] = (await told.results()).values()
    assert (result, reason) == ("failed", "the channel cannot be reached")
    assert len([each for each in clock.slept if each >= 1]) == 2


async def test_a_bot_that_is_not_let_in(told: NotifiedApp, faults: Faults) -> None:
    """401 is no recipient's fault: nobody is given up, the host tries again."""
    conversations = await told.meet(30)
    faults.set(status=401, path="/activities")
    with pytest.raises(Exception, match="401"):
        await told.send(HELLO)
    assert await told.report() == []
    faults.clear()
    await told.send(HELLO)
    assert [heard(each) for each in conversations] == [["hello"]] * 30


async def test_the_bots_own_middleware_fails(
    told: NotifiedApp, app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have failed before or after: reported, and in the log with its trace."""

    class Broken(Middleware):  # type: ignore[misc]  # untyped SDK base
        async def on_turn(self, context: TurnContext, logic: Any) -> None:
            await logic()
            raise ZeroDivisionError

    [conversation] = await told.meet(1)
    app.parts.adapter.use(Broken())
    await told.send(HELLO)
    assert heard(conversation) == ["hello"]
    [(result, reason)] = (await told.results()).values()
    assert (result, "ZeroDivisionError" in reason) == ("uncertain", True)
    assert "ZeroDivisionError" in caplog.text


async def test_a_crash_in_the_middle(told: NotifiedApp, app: ComposedApp) -> None:
    """The message comes again: at most those under way, and one batch, are sent to twice."""
    conversations = await told.meet(60)

    class Crash(Middleware):  # type: ignore[misc]  # untyped SDK base
        turns = 0

        async def on_turn(self, context: TurnContext, logic: Any) -> None:
            Crash.turns += 1
            if Crash.turns == 40:
                sending.cancel()  # the process is gone: nothing more is written
            await logic()

    app.parts.adapter.use(Crash())
    sending = asyncio.create_task(told.send(HELLO))
    written = BlobContainer.append

    async def lost(*arguments: Any) -> None:
        if sending.cancelling():
            raise asyncio.CancelledError
        await written(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BlobContainer, "append", lost)
        with pytest.raises(asyncio.CancelledError):
            await sending
    first = sum(len(each.activities) for each in conversations)
    known = len(await told.results())
    assert 0 < known < first < 60
    await told.send(HELLO)
    counts = [len(each.activities) for each in conversations]
    print(f"\nsent before the crash: {first}, in the report: {known}, twice: {counts.count(2)}")
    assert set(counts) <= {1, 2}
    assert counts.count(2) == first - known <= BATCH_SIZE - 1 + IN_FLIGHT
    assert (await told.report())[-1]["summary"] == {"sent": 60}


async def test_a_lost_lease(told: NotifiedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may send by now: this one begins nothing more, and puts the rest back."""
    conversations = await told.meet(30)
    monkeypatch.setattr(
        ConversationLocks, "lease_lost", lambda *_: any(each.activities for each in conversations)
    )
    await told.send(HELLO)
    assert 0 < sum(len(each.activities) for each in conversations) <= IN_FLIGHT
    assert len(told.queue.put_back) == 1


@asynccontextmanager
async def held_elsewhere(told: NotifiedApp) -> AsyncIterator[None]:
    """A process sends meanwhile."""
    begun, ends = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with told.app.parts.locks.lock(LOCK, lock_timeout=0):
            begun.set()
            await ends.wait()

    holding = asyncio.create_task(hold())
    await begun.wait()
    yield
    ends.set()
    await holding


async def test_two_processes(
    told: NotifiedApp,
    clock: FastTime,
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
) -> None:
    """While one sends, the other puts its notification back, under its id."""
    conversations = await told.meet(10)
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as second:
        other = NotifiedApp(second, clock)
        async with held_elsewhere(told):
            await other.send(HELLO, "m2")
        assert [heard(each) for each in conversations] == [[]] * 10
        assert await other.report("m2") == []
        [(message, delay)] = other.queue.put_back
        assert (json.loads(message)["id"], delay) == ("m2", BUSY_PAUSE)
        await asyncio.gather(told.send(HELLO, "m1"), other.send(HELLO, "m3"))
        finished = [name for name in ("m1", "m3") if await told.report(name)]
        assert len(finished) == 1  # whoever was first; the other one is put back
    assert [heard(each) for each in conversations] == [["hello"]] * 10


async def test_two_processes_keep_one_pace(
    cloud: Cloud, app: ComposedApp, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """Two notifications, each in a process of its own: together they are no faster than one."""
    clock, attempts = FastTime(5), list[Attempt]()
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as second:
        apps = NotifiedApp(app, clock), NotifiedApp(second, clock)
        conversations = await apps[0].meet(60)
        for each in (app, second):
            note(each, clock, monkeypatch, attempts)

        async def work_off(told: NotifiedApp, name: str) -> None:
            await told.send({"to": "all", "text": name}, name)
            for message, _ in told.queue.put_back:  # grows while the other one sends
                await told.send(message)

        await asyncio.gather(work_off(apps[0], "one"), work_off(apps[1], "two"))
        put_back = sum(len(each.queue.put_back) for each in apps)
    assert [sorted(heard(each)) for each in conversations] == [["one", "two"]] * 60
    print(f"\nfullest second: {fullest_second(attempts)}, put back: {put_back}")
    assert put_back
    assert fullest_second(attempts) <= REQUESTS_PER_SECOND + IN_FLIGHT


async def test_a_service_url_that_is_refused_by_now(told: NotifiedApp, app: ComposedApp) -> None:
    """The bot's token goes nowhere else than its settings allow, whatever was kept before."""
    [conversation] = await told.meet(1)
    elsewhere = {"id": "a:9", "conversationType": "personal"}
    content = {"type": "message", "conversation": elsewhere, "channelId": "msteams"}
    foreign = {**app.activity(content), "serviceUrl": "https://evil.example/"}
    await told.references.store(read_model(Activity, foreign))
    await told.send(HELLO)
    result, reason = (await told.results())["msteams/a:9"]
    assert result == "failed"
    assert "evil.example is not a channel's" in reason
    assert heard(conversation) == ["hello"]


async def test_storage_fails_in_the_middle(
    told: NotifiedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is being sent to is not cut off, so that the next run sends to nobody twice."""
    conversations = await told.meet(40)
    read, reads = BlobContainer.read, 0

    async def flaky(blobs: BlobContainer, name: str) -> Blob | None:
        nonlocal reads
        reads += 1
        if reads == 20:
            raise StorageUnavailable("it is away")
        return await read(blobs, name)

    monkeypatch.setattr(BlobContainer, "read", flaky)
    with pytest.raises(StorageUnavailable):
        await told.send(HELLO)
    sent = sum(len(each.activities) for each in conversations)
    assert 0 < sent < 40
    assert len(await told.results()) == sent
    await told.send(HELLO)
    assert [heard(each) for each in conversations] == [["hello"]] * 40


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("sesame", "not JSON"),
        ("[" * 40_000, "not JSON"),
        ('["sesame"]', "not a JSON object"),
        ('{"text": "sesame"}', "names nobody"),
        ('{"to": [], "text": "sesame"}', "names nobody"),
        ('{"to": [7], "text": "sesame"}', "names nobody"),
        ('{"to": ["all", "29:1"], "text": "sesame"}', "with other recipients"),
        ('{"to": "all"}', "is empty"),
        ('{"to": "all", "text": " "}', "is empty"),
        ('{"to": "all", "text": 7}', "not a string"),
        ('{"to": "all", "card": {"text": "sesame"}}', "not an adaptive card"),
        ('{"to": "all", "text": "sesame", "cards": []}', "other than to, channel, text, card"),
        ('{"to": "all", "channel": "sesame", "text": "x"}', "channel is not one of console"),
        ('{"to": "all", "channel": ["msteams"], "text": "x"}', "channel is not one of"),
        ('{"to": "29:1", "channel": "msteams", "text": "sesame"}', 'works with "all" only'),
    ],
)
async def test_what_is_no_notification(
    told: NotifiedApp, caplog: pytest.LogCaptureFixture, message: str, why: str
) -> None:
    """One error, a report with the reason, and the message in the poison queue; nothing quoted."""
    await told.meet(1)
    await told.send(message)
    [line] = await told.report()
    assert why in line["error"]
    assert await told.waiting(POISON_QUEUE) == [message]
    [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert why in record.getMessage()
    assert "sesame" not in caplog.text


async def test_a_bad_one_with_an_id(told: NotifiedApp) -> None:
    """Its report is where its sender looks for it."""
    await told.send({"to": "all", "id": "n1"})
    assert "error" in (await told.report("n1"))[0]


async def test_a_report_that_cannot_be_written(
    told: NotifiedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending stops meanwhile, and goes on when the storage account is back."""
    conversations = await told.meet(30)
    append, fails = BlobContainer.append, 3

    async def flaky(*arguments: Any) -> None:
        nonlocal fails
        fails -= 1
        if fails >= 0:
            sent.append(sum(len(each.activities) for each in conversations))
            raise StorageUnavailable("it is away")
        await append(*arguments)

    sent: list[int] = []
    monkeypatch.setattr(BlobContainer, "append", flaky)
    await told.send(HELLO)
    assert len(sent) == 3
    assert sent[-1] <= BATCH_SIZE - 1 + IN_FLIGHT
    assert [heard(each) for each in conversations] == [["hello"]] * 30
    assert (await told.report())[-1]["summary"] == {"sent": 30}
