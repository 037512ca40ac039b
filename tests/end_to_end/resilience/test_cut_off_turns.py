"""How long conversations wait whose worker process died in a turn."""

import asyncio
import datetime
import os
import signal
import time
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.timing.condition import comes_true
from tests.support.wire.insistent_channel import InsistentChannel

WORKERS = 2
CONVERSATIONS = 8
SLOW_BOT = {
    "bot_logic/__init__.py": '''
import asyncio
from pathlib import Path

from botbuilder.core import ActivityHandler


class SlowBot(ActivityHandler):
    """Counts messages, and takes its time until a file exists."""

    def __init__(self, state, may_end):
        self.may_end = may_end
        self.counter = state.create_property("counter")

    async def on_message_activity(self, turn_context):
        count = await self.counter.get(turn_context, lambda: 0) + 1
        await self.counter.set(turn_context, count)
        while not self.may_end.exists():
            await asyncio.sleep(0.05)
        await turn_context.send_activity(f"Count: {count}")


def create_bot(services):
    return SlowBot(services.conversation_state, Path(services.settings["MayEnd"]))
'''
}

WITHIN = 90.0
"""Seconds that nothing takes."""

INLINE_TOO = pytest.param(
    INLINE,
    marks=pytest.mark.extended(covered_by=["tests/cloud_adapter/state/leases/test_lease.py"]),
)


@pytest.mark.parametrize("turns", [INLINE_TOO, QUEUED])
async def test_turns_that_are_cut_off(
    cloud: Cloud, storage: str, tmp_path: Path, logs: Path, turns: str
) -> None:
    """The leases of a process that died expire, and the turns run again, each once.

    Inline turns are run again because the channel got no answer.
    """
    may_end = tmp_path / "turns may end"
    settings = {"AzureWebJobsStorage": storage, "BotTurns": turns, "MayEnd": str(may_end)}
    log = logs / f"cut off {turns}.log"
    app, options = app_with(tmp_path / "app", SLOW_BOT), ("--workers", str(WORKERS))
    bot = BotProcess({**cloud.settings(), **settings}, log, app, options)
    async with bot, InsistentChannel(cloud, bot.messages) as channel, asyncio.TaskGroup() as group:
        conversations = [channel.conversation() for _ in range(CONVERSATIONS)]
        for each in conversations:
            group.create_task(channel.deliver(channel.message(each, "count")))
        await comes_true(lambda: all(sent(each, "typing") for each in conversations), WITHIN)
        killed_at = time.time()
        for pid in bot.workers.values():
            os.kill(pid, signal.SIGKILL)
        may_end.touch()
        await comes_true(lambda: all(sent(each, "message") for each in conversations), WITHIN)
    waits = [sent(each, "message")[0] - killed_at for each in conversations]
    print(f"{turns}: turns that were cut off ran again after at most {max(waits):.1f} s")
    assert min(waits) > 0
    assert all(len(sent(each, "message")) == 1 for each in conversations)


def sent(conversation: Conversation, kind: str) -> list[float]:
    """When the bot has sent activities of this type, in seconds since the epoch."""
    return [
        datetime.datetime.fromisoformat(each["timestamp"]).timestamp()
        for each in conversation.activities
        if each["type"] == kind
    ]
