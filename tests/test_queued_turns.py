"""Queued turns of a running bot, on Azurite: at once accepted, run later, nothing lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from cloud_adapter.cloud_adapter import APOLOGY
from emulator.cloud import Cloud
from tests.support.bot_process import BotProcess
from tests.support.cloud_thread import CloudThread
from tests.support.insistent_channel import Delivered, InsistentChannel
from tests.support.stored_state import stored_state

QUICK = 200
AT_ONCE = 16
DELIVERIES = 4
LARGE = 900_000
"""Characters: far over what a queue's message takes, under the body's limit."""

WITHIN = 30.0
"""Seconds that no test waits longer."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for this file's bots."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("queued"))) as thread:
        yield thread.cloud


@asynccontextmanager
async def running(
    cloud: Cloud, log: Path, settings: Mapping[str, str]
) -> AsyncIterator[InsistentChannel]:
    """A bot of its own, and the channel in front of it."""
    bot = BotProcess({**cloud.settings(), **settings}, log)
    await asyncio.to_thread(bot.__enter__)
    try:
        async with InsistentChannel(cloud, bot.messages) as channel:
            yield channel
    finally:
        await asyncio.to_thread(bot.__exit__)


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
        assert "You picked red." in json.dumps(card)
        assert channel.replies()[message.activity["id"]] == 1


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
        assert [each["text"] for each in conversation.activities] == [f"You said: {'x' * LARGE}"]


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
        assert [each["text"] for each in conversation.activities] == ["Count: 1", "Count: 2"]


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
        state = await stored_state(storage, [conversation])
    heard = [each["text"] for each in conversation.activities]
    refused = sum(len(message.statuses) - 1 for message in messages)
    print(f"{turns}: {len(heard)} replies, {refused} deliveries refused, {log.name}")
    assert state[conversation.id]["counter"] == QUICK
    assert heard == [f"Count: {number + 1}" for number in range(QUICK)]
    assert APOLOGY not in heard
    assert refused == 0
    assert "conflict" not in log.read_text().lower()
