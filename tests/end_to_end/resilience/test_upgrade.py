"""An upgrade while activities wait that an earlier version has stored, and workers die."""

import asyncio
import contextlib
import functools
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from azure.storage.blob.aio import ContainerClient

from auth.settings import QUEUED
from emulator.cloud import Cloud
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.load.counted_conversations import CountedConversation, CountedConversations
from tests.support.storage.earlier_version import POISON, TURNS, EarlierVersion
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_wire import StorageWire
from tests.support.timing.condition import comes_true, found
from tests.support.wire.insistent_channel import InsistentChannel

WORKERS = 2
CONVERSATIONS = 20
WAITING, NEW = 10, 10
"""Activities in each conversation: stored by the earlier version, and delivered to this one."""

FAILED_ATTEMPTS = 2
KILLS = 4
KILL_EVERY = 2.0
"""Seconds."""

SLOW_WRITES = {"PUT blob": 0.1}
"""Seconds."""

WITHIN = 180.0
"""Seconds in which all must be answered."""

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.extended(
        covered_by=[
            "tests/cloud_adapter/queued/test_earlier_inbox.py",
            "tests/cloud_adapter/queued/test_dying_processes.py",
        ]
    ),
]


async def test_what_the_earlier_version_left(cloud: Cloud, storage: str, logs: Path) -> None:
    """Each conversation counts what the earlier version has stored, then what is new.

    An activity that has failed twice runs again, one that was processed does not, and a dead letter
    can be requeued. Nothing of the old form stays behind.
    """
    options = ("--workers", str(WORKERS))
    async with (
        StorageWire(storage, SLOW_WRITES) as wire,
        InsistentChannel(cloud) as channel,
        EarlierVersion(storage, claims_of(cloud)) as earlier,
    ):
        users = CountedConversations(channel, [WAITING + NEW] * CONVERSATIONS)
        dead_letter = users.new(1)
        users.all += [await processed(users, earlier), await failed(users, earlier)]
        await earlier.dead_lettered(dead_letter.messages[0].activity)
        await wait_in_old_form(users.all[:CONVERSATIONS], earlier)
        settings = {"AzureWebJobsStorage": wire.connection_string, "BotTurns": QUEUED}
        log = logs / "upgrade.log"
        async with BotProcess({**cloud.settings(), **settings}, log, options=options) as bot:
            channel.endpoint = bot.messages
            async with asyncio.TaskGroup() as group:
                group.create_task(kill_in_turn(bot))
                await users.deliver(KILLS * KILL_EVERY)
            counters = await users.settle(storage, WITHIN)
            await requeue(storage)
            await comes_true(lambda: not dead_letter.lost, WITHIN)
            with contextlib.suppress(AssertionError):  # below is said what is left
                await found(lambda: nothing_is_left(storage), WITHIN)
    repeated = sum(each.repeated for each in users.all)
    print(f"{len(users.messages)} activities, {KILLS} kills, {repeated} replies sent twice")
    assert [each for each in users.all if not each.in_order] == []
    assert {
        each.conversation.id: each.counted + len(each.messages) for each in users.all
    } == counters
    assert dead_letter.in_order
    assert await QueueMessages(storage, POISON).count() == 0
    assert await left_behind(storage) == []


def claims_of(cloud: Cloud) -> dict[str, str]:
    """The claims of the channel's tokens."""
    return {
        "aud": cloud.registration.app_id,
        "iss": "https://api.botframework.com",
        "serviceurl": f"{cloud.connector.server.url}/",
    }


async def processed(users: CountedConversations, earlier: EarlierVersion) -> CountedConversation:
    """A conversation in which the earlier version has counted one message."""
    conversation = users.new(1 + NEW, counted=1)
    first = conversation.messages.pop(0)
    await earlier.processed(first.activity, counter=1)
    return conversation


async def failed(users: CountedConversations, earlier: EarlierVersion) -> CountedConversation:
    """A conversation whose only message has failed."""
    conversation = users.new(1)
    await earlier.failed(conversation.messages[0].activity, FAILED_ATTEMPTS)
    conversation.accepted_at.append(time.time())
    return conversation


async def wait_in_old_form(
    conversations: list[CountedConversation], earlier: EarlierVersion
) -> None:
    """Store the first messages of each conversation."""
    for number in range(WAITING):
        for each in conversations:
            await earlier.accepted(each.messages[number].activity)
            each.accepted_at.append(time.time())


async def kill_in_turn(bot: BotProcess) -> None:
    """Kill one worker after the other."""
    killed: set[int] = set()
    for number in range(KILLS):
        await asyncio.sleep(KILL_EVERY)
        await comes_true(functools.partial(all_run, bot, killed), WITHIN)
        pid = bot.workers[number % WORKERS + 1]
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)


def all_run(bot: BotProcess, killed: set[int]) -> bool:
    """Whether every worker runs that was killed."""
    return not killed.intersection(bot.workers.values())


async def requeue(storage: str) -> None:
    """Give the dead letters new attempts, as their owner does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "admin", "dead-letters", "replay", "--all"),
        *("--connection-string", storage),
        cwd=APP,
    )
    assert await process.wait() == 0


async def nothing_is_left(storage: str) -> bool:
    """Whether all is processed: turns are done some time after their replies."""
    return not await left_behind(storage)


async def left_behind(storage: str) -> list[str]:
    """The blobs of activities that are not processed, but for inboxes, and all markers."""
    async with ContainerClient.from_connection_string(storage, TURNS) as container:
        return [
            entry.name
            async for entry in container.list_blobs(include=["metadata"])
            if entry.metadata.get("state", "") != "done" and not entry.name.startswith("inbox/")
        ]
