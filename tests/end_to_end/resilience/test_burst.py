"""A thousand messages at once in one conversation."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from auth.settings import QUEUED
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.storage.storage_wire import StorageWire
from tests.support.timing.condition import comes_true
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

FEW, MANY = 16, 1000
"""Messages: so many are under way while a user types fast, and in a burst."""

WARM_UPS = 5
MAX_WAKE_UPS = 200
"""Wake-up messages for a burst."""

PADDING = 2000
"""Bytes of a message, beside the usual."""

MARGIN = 6 * 1024 * 1024
"""Bytes that a process may take beside the messages' bodies: Python's own memory is untidy."""

PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
WITHIN = 200.0
"""Seconds that nothing takes."""

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.extended(
        covered_by=[
            "tests/cloud_adapter/adapter/test_queued.py",
            "tests/cloud_adapter/queued/test_requests.py",
        ]
    ),
]


@pytest.mark.parametrize(("at_once", "workers"), [(100, 1), (16, 2)])
async def test_a_burst(cloud: Cloud, storage: str, logs: Path, at_once: int, workers: int) -> None:
    """Each message is counted once and in order, with few wake-up messages and little memory."""
    async with StorageWire(storage) as wire:
        settings = {"AzureWebJobsStorage": wire.connection_string, "BotTurns": QUEUED}
        log = logs / f"burst {at_once} {workers}.log"
        options = ("--workers", str(workers))
        async with (
            BotProcess({**cloud.settings(), **settings}, log, options=options) as bot,
            InsistentChannel(cloud, bot.messages) as channel,
        ):
            for _ in range(WARM_UPS):
                await burst(channel, channel.conversation(), FEW, FEW)
            await wire.quiet()
            before, position = peak_memory(bot), len(wire.exchanges)
            conversation = channel.conversation()
            messages = await burst(channel, conversation, MANY, at_once)
            growth = max(peak - before[pid] for pid, peak in peak_memory(bot).items())
            await wire.quiet()
    exchanges = wire.since(position)
    wake_ups = sum(each.name == "POST queue" for each in exchanges)
    bodies = sum(len(json.dumps(each.activity)) for each in messages)
    print(
        f"\n{at_once} at once, {workers} workers: {wake_ups} wake-up messages, "
        f"{len(exchanges) / MANY:.1f} storage requests a message, {growth / 2**20:.1f} MiB more "
        f"than for {FEW} at once, the messages have {bodies / 2**20:.1f} MiB"
    )
    assert {status for each in messages for status in each.statuses} == {202}
    assert texts(conversation) == [f"Count: {number + 1}" for number in range(MANY)]
    assert wake_ups <= MAX_WAKE_UPS
    assert growth < bodies + MARGIN


async def burst(
    channel: InsistentChannel, conversation: Conversation, count: int, at_once: int
) -> list[Delivered]:
    """Deliver messages, and wait for the replies."""
    padding = {"padding": "x" * PADDING}
    messages = [channel.message(conversation, "count", channelData=padding) for _ in range(count)]
    free = asyncio.Semaphore(at_once)

    async def deliver(message: Delivered) -> None:
        async with free:
            await channel.deliver(message)

    await asyncio.gather(*(deliver(message) for message in messages))
    await comes_true(lambda: len(texts(conversation)) >= count, WITHIN)
    return messages


def texts(conversation: Conversation) -> list[str]:
    """The messages that the bot has sent, without typing, which it may show on a slow machine."""
    return [each["text"] for each in conversation.activities if each["type"] == "message"]


def peak_memory(bot: BotProcess) -> dict[int, int]:
    """The most memory that each worker has ever used, in bytes, by its process id."""
    peaks = {}
    for pid in bot.workers.values():
        match = PEAK.search(Path(f"/proc/{pid}/status").read_text())
        assert match
        peaks[pid] = int(match[1]) * 1024
    return peaks
