"""Forty users in forty dialogs at once, on two worker processes, of which all are replaced."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.queued.queued_turns import QUEUE
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.load.renter import RENTAL, STEPS, Renter
from tests.support.storage.queue_messages import QueueMessages
from tests.support.timing.condition import found
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/state/objects/test_dialogs.py",
        "tests/cloud_adapter/queued/test_queued_turns.py",
    ]
)

USERS = 40
RESTART = 3
"""The step before which the host is restarted."""

WITHIN = 40.0
"""Seconds that no user waits longer."""

OPTIONS = ("--workers", "2")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for this file's bots."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("dialogs"))) as thread:
        yield thread.cloud


@pytest.mark.parametrize("turns", [INLINE, QUEUED])
async def test_forty_dialogs(
    cloud: Cloud, storage: str, tmp_path: Path, logs: Path, turns: str
) -> None:
    """Each user gets each reply once, although each answer comes twice and the host restarts.

    With inline turns, the first reply may come twice: two processes that get a conversation's first
    activity at the same moment may both run its turn (docs/state.md). In seven runs, that happened
    to between 0 and 23 users.
    """
    app = app_with(tmp_path / "app", {}, RENTAL)
    settings = {**cloud.settings(), "AzureWebJobsStorage": storage, "BotTurns": turns}
    users: list[Renter] = []
    for name, steps in (("first", range(RESTART)), ("second", range(RESTART, STEPS))):
        bot = BotProcess(settings, logs / f"{name} dialogs {turns}.log", app, OPTIONS)
        async with bot, InsistentChannel(cloud, bot.messages) as channel:
            users = users or [Renter(channel, number) for number in range(USERS)]
            await asyncio.gather(*(take(channel, user, steps) for user in users))
            await comes_to_rest(storage)
    heard = {user.answers[2]: user.heard() for user in users}
    expected = {user.answers[2]: user.expected for user in users}
    for name, (first, *_) in expected.items():
        if turns == INLINE and heard[name][:2] == [first, first]:
            del heard[name][0]
    assert heard == expected


async def comes_to_rest(storage: str) -> None:
    """Wait until no turn is under way: turns save after their replies."""
    messages = QueueMessages(storage, QUEUE)

    async def is_empty() -> bool:
        return await messages.count() == 0

    await found(is_empty, WITHIN)


async def take(channel: InsistentChannel, user: Renter, steps: Iterable[int]) -> None:
    """Let a user answer, each answer delivered twice at once, and wait for each reply."""
    for step in steps:
        answer = user.answer(channel, step)
        twin = Delivered(answer.activity)
        await asyncio.gather(channel.deliver(answer), channel.deliver(twin))
        assert answer.taken, answer.statuses
        assert twin.taken, twin.statuses
        await channel.answered([answer], WITHIN)
