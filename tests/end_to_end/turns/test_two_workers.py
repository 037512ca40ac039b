"""Turns of one conversation in two worker processes: one at a time, in order, counted exactly."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.storage.stored_state import stored_state
from tests.support.timing.condition import found
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

QUICK = 200
AT_ONCE = 16
NEW_CONVERSATIONS = 30
FIRST_MESSAGES = 4
"""Messages that a new conversation gets at once."""

WITHIN = 120.0
"""Seconds that nothing takes."""

pytestmark = [
    pytest.mark.parametrize("turns", [INLINE, QUEUED]),
    pytest.mark.extended(
        covered_by=[
            "tests/cloud_adapter/queued/test_queued_turns.py",
            "tests/cloud_adapter/state/leases/test_conversation_lock.py",
            "tests/cloud_adapter/state/turns/test_state_in_turns.py",
        ]
    ),
]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for this file's bots."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("two"))) as thread:
        yield thread.cloud


@asynccontextmanager
async def two_workers(
    cloud: Cloud, storage: str, turns: str, log: Path
) -> AsyncIterator[InsistentChannel]:
    """A bot in two processes, and the channel in front of it."""
    settings = {"AzureWebJobsStorage": storage, "BotTurns": turns}
    bot = BotProcess({**cloud.settings(), **settings}, log, options=("--workers", "2"))
    async with bot, InsistentChannel(cloud, bot.messages) as channel:
        yield channel


def texts(conversation: Conversation) -> list[str]:
    """The messages that the bot has sent, without typing, which it may show on a slow machine."""
    return [each["text"] for each in conversation.activities if each["type"] == "message"]


def counts(number: int) -> list[str]:
    """What the bot says to so many messages."""
    return [f"Count: {each + 1}" for each in range(number)]


async def counted(storage: str, conversations: list[Conversation], number: int) -> None:
    """Wait until the state of each conversation has this counter; turns save after replies."""

    async def all_counted() -> bool:
        states = await stored_state(storage, conversations)
        return all(state.get("counter") == number for state in states.values())

    await found(all_counted, WITHIN)


async def test_quick_messages(cloud: Cloud, storage: str, logs: Path, turns: str) -> None:
    """200 messages in a conversation, 16 at a time: each is counted, once, and in order."""
    log = logs / f"two quick {turns}.log"
    async with two_workers(cloud, storage, turns, log) as channel:
        conversation = channel.conversation()
        messages = [channel.message(conversation, "count") for _ in range(QUICK)]
        await channel.deliver(messages[0])
        await counted(storage, [conversation], 1)
        free = asyncio.Semaphore(AT_ONCE)

        async def deliver(message: Delivered) -> None:
            async with free:
                await channel.deliver(message)

        await asyncio.gather(*(deliver(message) for message in messages[1:]))
        await channel.answered(messages, WITHIN)
        await counted(storage, [conversation], QUICK)
    assert texts(conversation) == counts(QUICK)
    assert {status for each in messages for status in each.statuses} <= {200, 202}


async def test_first_messages(cloud: Cloud, storage: str, logs: Path, turns: str) -> None:
    """Both get the first messages of a conversation, whose state does not exist yet."""
    log = logs / f"two first {turns}.log"
    async with two_workers(cloud, storage, turns, log) as channel:
        conversations = [channel.conversation() for _ in range(NEW_CONVERSATIONS)]
        messages = [
            channel.message(conversation, "count")
            for conversation in conversations
            for _ in range(FIRST_MESSAGES)
        ]
        async with asyncio.TaskGroup() as group:
            for message in messages:
                group.create_task(channel.deliver(message))
        await channel.answered(messages, WITHIN)
        await counted(storage, conversations, FIRST_MESSAGES)
    sent = [texts(conversation) for conversation in conversations]
    repeated = sum(len(each) for each in sent) - len(messages)
    print(f"{turns}: {repeated} replies sent twice, because two processes had the first turn")
    assert [sorted(set(each)) for each in sent] == [counts(FIRST_MESSAGES)] * NEW_CONVERSATIONS
