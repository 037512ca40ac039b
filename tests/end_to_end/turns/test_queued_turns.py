"""Queued turns of a running bot, on Azurite: accepted at once, run later, nothing lost."""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite, CertificateFiles
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.state.stored_state import POSITION_KEY
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_proxies import StorageProxies
from tests.support.storage.stored_state import stored_state
from tests.support.timing.condition import comes_true, found
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

QUICK = 200
AT_ONCE = 16
DELIVERIES = 4
LARGE = 900_000
"""Characters: far over what a queue's message takes, under the body's limit."""

OUTAGE = 10.0
"""Seconds without storage, and before and after them."""

OUTAGE_RATE = 20.0
"""Activities in a second meanwhile."""

OUTAGE_CONVERSATIONS = 10

DEAD_LETTER = re.compile(r"^[0-9a-f]{8}  \S+ \S+Z  msteams~2F\S+  ValueError: as asked$", re.M)

WITHIN = 40.0
"""Seconds that no test waits longer."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for this file's bots."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("queued"))) as thread:
        yield thread.cloud


@asynccontextmanager
async def running(
    cloud: Cloud, log: Path, settings: Mapping[str, str], app: Path | None = None
) -> AsyncIterator[InsistentChannel]:
    """A bot of its own, and the channel in front of it."""
    bot = BotProcess({**cloud.settings(), **settings}, log, app)
    async with bot, InsistentChannel(cloud, bot.messages) as channel:
        yield channel


def texts(conversation: Conversation) -> list[str]:
    """The messages that the bot has sent, without typing, which it may show on a slow machine."""
    return [each["text"] for each in conversation.activities if each["type"] == "message"]


def stored(storage: str, turns: str) -> dict[str, str]:
    """Settings that keep state, and run turns like this."""
    return {"AzureWebJobsStorage": storage, "BotTurns": turns}


async def test_what_is_accepted_and_what_runs_at_once(
    cloud: Cloud, storage: str, logs: Path
) -> None:
    """Messages are answered 202 and nothing; invokes and expectReplies by their turns, as ever."""
    async with running(cloud, logs / "queued.log", stored(storage, QUEUED)) as channel:
        conversation = channel.conversation()
        message = channel.message(conversation, "hello")
        assert await channel.deliver_once(message) == b""
        expecting = channel.message(conversation, "hello", deliveryMode="expectReplies")
        replies = json.loads(await channel.deliver_once(expecting))["activities"]
        action = {"action": {"type": "Action.Execute", "data": {"color": "red"}}}
        invoke = channel.message(
            conversation, "", type="invoke", name="adaptiveCard/action", value=action
        )
        card = json.loads(await channel.deliver_once(invoke))
        await channel.answered([message], WITHIN)
        assert [message.statuses, expecting.statuses, invoke.statuses] == [[202], [200], [200]]
        assert [reply["text"] for reply in replies] == ["You said: hello"]
        assert "You executed: {'color': 'red'}" in json.dumps(card)
        assert channel.replies()[message.activity["id"]] == 1


async def test_storage_without_a_key(cloud: Cloud, logs: Path) -> None:
    """State and queue are reached with the bot's managed identity, by the bot and by its host."""
    azurite = Azurite(certificate=CertificateFiles(*cloud.authority.server_files()))
    await azurite.start()
    settings = {
        "AzureWebJobsStorage__blobServiceUri": azurite.blob_url(),
        "AzureWebJobsStorage__queueServiceUri": azurite.queue_url(),
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": cloud.registration.app_id,
        "BotTurns": QUEUED,
    }
    try:
        async with running(cloud, logs / "without a key.log", settings) as channel:
            conversation = channel.conversation()
            messages = [channel.message(conversation, "count") for _ in range(2)]
            for message in messages:
                await channel.deliver_once(message)
            await channel.answered(messages, WITHIN)
    finally:
        await azurite.stop()
    assert texts(conversation) == ["Count: 1", "Count: 2"]


async def test_a_large_activity(cloud: Cloud, storage: str, logs: Path) -> None:
    """An activity that no message of a queue could hold gets its turn; a too large one does not."""
    async with running(cloud, logs / "large.log", stored(storage, QUEUED)) as channel:
        conversation = channel.conversation()
        large = channel.message(conversation, "x" * LARGE)
        too_large = channel.message(conversation, "x" * 1024 * 1024)
        await channel.deliver_once(large)
        await channel.deliver_once(too_large)
        await channel.answered([large], WITHIN)
        assert [large.statuses, too_large.statuses] == [[202], [413]]
        assert texts(conversation) == [f"You said: {'x' * LARGE}"]


async def test_back_to_inline_turns(cloud: Cloud, storage: str, logs: Path) -> None:
    """An activity that waits then is kept, and its turn runs when turns are queued again."""
    async with running(cloud, logs / "before.log", stored(storage, QUEUED)) as channel:
        conversation = channel.conversation()
        failing = channel.message(conversation, "fail")
        await channel.deliver_once(failing)
        await channel.answered([failing], WITHIN)

        async def set_aside() -> bool:  # after the reply; a bot that ends before retries much later
            return POSITION_KEY in (await stored_state(storage, [conversation]))[conversation.id]

        await found(set_aside, WITHIN)
    async with running(cloud, logs / "inline.log", stored(storage, INLINE)) as channel:
        message = channel.message(conversation, "hello")
        await channel.deliver_once(message)
        assert message.statuses == [200]
    assert texts(conversation) == ["Attempt", "You said: hello"]
    async with running(cloud, logs / "queued again.log", stored(storage, QUEUED)) as channel:
        await comes_true(lambda: channel.replies()[failing.activity["id"]] > 1, WITHIN)


@pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/adapter/test_queued.py",
        "tests/cloud_adapter/state/turns/test_state_in_turns.py",
    ]
)
@pytest.mark.parametrize("turns", [INLINE, QUEUED])
async def test_delivered_again(cloud: Cloud, storage: str, logs: Path, turns: str) -> None:
    """The same activity, delivered four times at once and once more later, has one turn."""
    async with running(cloud, logs / f"again {turns}.log", stored(storage, turns)) as channel:
        conversation = channel.conversation()
        message = channel.message(conversation, "count")
        twins = [Delivered(message.activity) for _ in range(DELIVERIES)]
        await asyncio.gather(*(channel.deliver_once(twin) for twin in twins))
        await channel.answered([message], WITHIN)
        last = channel.message(conversation, "count")
        await channel.deliver_once(message)
        await channel.deliver_once(last)
        await channel.answered([last], WITHIN)
        assert all(twin.taken for twin in (*twins, message))
        assert texts(conversation) == ["Count: 1", "Count: 2"]


@pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/queued/test_queued_turns.py",
        "tests/cloud_adapter/adapter/test_queued.py",
    ]
)
@pytest.mark.parametrize("turns", [INLINE, QUEUED])
async def test_quick_messages(cloud: Cloud, storage: str, logs: Path, turns: str) -> None:
    """200 messages into one conversation, 16 at a time: each is counted, once, and in order."""
    log = logs / f"quick {turns}.log"
    async with running(cloud, log, stored(storage, turns)) as channel:
        conversation = channel.conversation()
        messages = [channel.message(conversation, "count") for _ in range(QUICK)]
        free = asyncio.Semaphore(AT_ONCE)

        async def deliver(message: Delivered) -> None:
            async with free:
                await channel.deliver(message)

        await asyncio.gather(*(deliver(message) for message in messages))
        await channel.answered(messages, WITHIN)

        async def all_counted() -> bool:  # the last turn saves after its reply
            state = await stored_state(storage, [conversation])
            return bool(state[conversation.id]["counter"] == QUICK)

        await found(all_counted, WITHIN)
    sent = texts(conversation)
    refused = sum(len(message.statuses) - 1 for message in messages)
    print(f"{turns}: {len(sent)} replies, {refused} deliveries refused, {log.name}")
    assert sent == [f"Count: {number + 1}" for number in range(QUICK)]
    assert APOLOGY not in sent
    assert refused == 0
    assert "conflict" not in log.read_text().lower()


@pytest.mark.extended(covered_by=["tests/cloud_adapter/queued/test_storage_faults.py"])
async def test_storage_is_down(cloud: Cloud, storage: str, logs: Path) -> None:
    """Ten seconds without storage: nothing accepted is lost, callers get Retry-After.

    Without a restart everything is taken and answered afterwards.
    """
    async with StorageProxies(storage) as proxies:
        settings = stored(proxies.connection_string, QUEUED)
        async with running(cloud, logs / "storage down.log", settings) as channel:
            conversations = [channel.conversation() for _ in range(OUTAGE_CONVERSATIONS)]
            messages = [
                channel.message(conversations[number % OUTAGE_CONVERSATIONS], "count")
                for number in range(round(OUTAGE_RATE * 3 * OUTAGE))
            ]
            outage = asyncio.create_task(storage_outage(proxies))
            await channel.deliver_all(messages, OUTAGE_RATE)
            await outage
            await channel.answered(messages, WITHIN)
            replies = channel.replies()

            async def all_counted() -> bool:  # the last turns save after their replies
                state = await stored_state(storage, conversations)
                return bool(sum(each.get("counter", 0) for each in state.values()) == len(messages))

            await found(all_counted, WITHIN)
    refused = [message for message in messages if len(message.statuses) > 1]
    lost = [message for message in messages if not replies[message.activity["id"]]]
    statuses = Counter(status for message in messages for status in message.statuses)
    print(f"storage down for {OUTAGE:.0f} s: {dict(statuses)}, {len(lost)} lost, {replies.total()}")
    assert lost == []
    assert refused, "nothing was delivered while the storage was down"
    assert set(statuses) == {202, 503}
    assert all(text and int(text) > 0 for message in messages for text in message.retry_after)


async def storage_outage(proxies: StorageProxies) -> None:
    """Close the ports for a while, a while from now."""
    await asyncio.sleep(OUTAGE)
    await proxies.cut()
    await asyncio.sleep(OUTAGE)
    await proxies.start()


@pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/queued/test_attempts.py",
        "tests/cloud_adapter/queued/test_dead_letters.py",
    ]
)
async def test_a_turn_that_fails(cloud: Cloud, storage: str, tmp_path: Path, logs: Path) -> None:
    """After five attempts the user has one apology, and the dead letters have the cause.

    `replay` gives it five more attempts, `drop` forgets it. What comes after it does not wait.
    """
    settings = stored(storage, QUEUED)
    app = app_with(tmp_path / "app", {"host.json": host_without_delays()})
    async with running(cloud, logs / "failing.log", settings, app) as channel:
        conversation = channel.conversation()
        bad, good = (channel.message(conversation, text) for text in ("fail", "hello"))
        await channel.deliver_once(bad)
        await channel.deliver_once(good)
        await channel.answered([good], WITHIN)
        listed = await dead_letter(storage)
        assert Counter(texts(conversation)) == {"Attempt": 5, APOLOGY: 1, "You said: hello": 1}
        assert DEAD_LETTER.search(listed)
        assert "in _reply" in await dead_letters(storage, "list", "--traces", status=1)
        await dead_letters(storage, "replay", "--all")
        listed = await dead_letter(storage)
        assert Counter(texts(conversation)) == {"Attempt": 10, APOLOGY: 2, "You said: hello": 1}
        await dead_letters(storage, "drop", listed[:8])
        assert await dead_letters(storage, "list") == "0 in bot-turns-poison\n"
        unknown = await dead_letters(storage, "drop", listed[:8], status=1)
        assert "no dead letter has this id" in unknown


async def dead_letter(storage: str) -> str:
    """What `list` says, once there is something."""
    await found(QueueMessages(storage, POISON_QUEUE).count, WITHIN)
    return await dead_letters(storage, "list", status=1)


async def dead_letters(storage: str, command: str, *arguments: str, status: int = 0) -> str:
    """What `bot dead-letters` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot_workbench", "dead-letters", command, *arguments),
        *("--connection-string", storage),
        cwd=APP,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == status, printed
    return printed.decode()


def host_without_delays() -> str:
    """The app's host.json, but failed messages come back at once."""
    settings = json.loads((APP / "host.json").read_text())
    settings["extensions"]["queues"]["visibilityTimeout"] = "00:00:00"
    return json.dumps(settings)
