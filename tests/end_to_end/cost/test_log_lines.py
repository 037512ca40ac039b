"""How many lines the app itself logs: Azure bills them by their size."""

import re
from pathlib import Path

import pytest

from auth.settings import QUEUED
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.functions.host_log import HOST_LOGGERS
from cloud_adapter.queued.drain import MAX_ATTEMPTS
from tests.support.bots.bot_process import BotProcess
from tests.support.storage.storage_wire import StorageWire
from tests.support.timing.condition import comes_true
from tests.support.wire.insistent_channel import InsistentChannel

pytestmark = pytest.mark.extended

POLLS = 2 * 120
"""How often a host looks into the app's two queues in an idle minute, every half second."""

MORE_OFTEN = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.100"}

RECORD = re.compile(r"[\d-]{10} [\d:,]{12} [A-Z]+ ([\w.]+): (.*)")
WITHIN = 60.0


def own_records(log: str) -> list[str]:
    """The first lines of the records that the app has logged."""
    found = [RECORD.match(line) for line in log.splitlines()]
    return [each[2] for each in found if each and not each[1].startswith(HOST_LOGGERS)]


async def answered(channel: InsistentChannel, conversation: Conversation, text: str) -> None:
    """Let the bot answer a message."""
    message = channel.message(conversation, text)
    await channel.deliver_once(message)
    await channel.answered([message], WITHIN)


async def test_lines(cloud: Cloud, storage: str, logs: Path) -> None:
    """An idle minute and a good turn have none; a turn that fails has one record an attempt.

    No further line of a record comes a second time, by way of standard output.
    """
    log = logs / "log lines.log"
    async with StorageWire(storage) as wire:
        settings = {"AzureWebJobsStorage": wire.connection_string, "BotTurns": QUEUED}
        bot = BotProcess({**cloud.settings(), **settings, **MORE_OFTEN}, log)
        async with bot, InsistentChannel(cloud, bot.messages) as channel:
            conversation = channel.conversation()
            await answered(channel, conversation, "the first turn logs what the start has held")
            start = own_records(log.read_text())
            polled = len(wire.exchanges) + POLLS
            await comes_true(lambda: len(wire.exchanges) > polled, WITHIN)
            await answered(channel, conversation, "hello")
            assert own_records(log.read_text()) == start
            failing = channel.message(conversation, "fail")
            await channel.deliver_once(failing)
            await comes_true(lambda: "is dead-lettered" in log.read_text(), WITHIN)
    *attempts, last = own_records(log.read_text())[len(start) :]
    assert len(attempts) == MAX_ATTEMPTS
    assert all(each.startswith("Turn 'message'") for each in attempts)
    assert "is dead-lettered: ValueError" in last
    assert bot.printed == ""
