"""Worker processes are killed while turns are queued; meanwhile another bot takes its time."""

import asyncio
import functools
import os
import re
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from auth.settings import QUEUED
from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from emulator.channel.conversations import Conversation
from emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.bots.patched_bot import patched
from tests.support.load.renter import RENTAL, STEPS, Renter
from tests.support.storage.stored_state import stored_state
from tests.support.timing.condition import comes_true, found
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

pytestmark = pytest.mark.timeout(400)  # the first test waits for all bots

ACTIVITIES = 1000
RATE = 50.0
"""Activities in a second."""

CONVERSATIONS = 50
RENTERS = 12
KILL_EVERY = 2.0
"""Seconds."""

WORKERS = 2
LONG_TURN = 40
"""Seconds that the other bot thinks."""

SLOW_WRITES = """
import asyncio
from cloud_adapter.storage.blobs import BlobContainer

write = BlobContainer.write

async def slow(*args, **kwargs):
    await asyncio.sleep(0.1)
    return await write(*args, **kwargs)

BlobContainer.write = slow
"""
"""Between a reply, the state and the end of a turn there is time to be killed in."""

MAX_REST = 90.0
"""Seconds after the last acceptance in which all must be answered."""

TABLE = APP / "artifacts" / "killed_workers.md"
CUT_OFF = re.compile(r"Message \S+ .*the worker process ended during the invocation")


@dataclass(frozen=True)
class Killed:
    """What came of the activities.

    Attributes:
        activities: all that were delivered.
        replies: by the id of what they reply to.
        counters: of the conversations' states.
        kills: worker processes that were killed.
        in_flight: invocations of `turns` that the kills cut off.
        seconds: from the first delivery to the last answer.
    """

    activities: list[Delivered]
    replies: Counter[str]
    counters: list[int]
    kills: int
    in_flight: int
    seconds: float

    @property
    def lost(self) -> int:
        """Accepted, and never answered."""
        return sum(not self.replies[each.activity["id"]] for each in self.activities)

    @property
    def repeated(self) -> int:
        """Replies beyond the first to an activity."""
        return sum(count - 1 for count in self.replies.values())

    @property
    def wrong_counters(self) -> int:
        """Conversations whose counter is not the number of their messages."""
        return sum(count != ACTIVITIES // CONVERSATIONS for count in self.counters)

    def table(self) -> str:
        """The figures, in Markdown."""
        rows = {
            "activities": len(self.activities),
            "accepted": sum(each.taken for each in self.activities),
            "deliveries": sum(len(each.statuses) for each in self.activities),
            "kills": self.kills,
            "turns cut off by them": self.in_flight,
            "lost": self.lost,
            "replies sent twice": self.repeated,
            "wrong counters": self.wrong_counters,
            "seconds until all were answered": round(self.seconds, 1),
        }
        lines = [f"| {name} | {value} |" for name, value in rows.items()]
        return "\n".join(["| killed workers | |", "|---|---|", *lines, ""])


@dataclass(frozen=True)
class Long:
    """A turn that took its time.

    Attributes:
        delivered: the activity.
        early: what the user had got when the channel was answered.
        typing, replies: what the user got in all.
    """

    delivered: Delivered
    early: int
    typing: int
    replies: int


@dataclass(frozen=True)
class Dialogs:
    """The outcomes of dialogs whose bot was killed repeatedly.

    Attributes:
        users: who took part.
        in_flight: as of Killed.
    """

    users: list[Renter]
    in_flight: int

    @property
    def heard_once(self) -> list[list[str]]:
        """What each user heard, without repetitions."""
        return [list(dict.fromkeys(user.heard())) for user in self.users]

    @property
    def repeated(self) -> int:
        """Replies that a user heard before."""
        return sum(len(user.heard()) - len(set(user.heard())) for user in self.users)


@pytest.fixture(scope="module")
def outcomes(
    azurite: AzuriteAccounts, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> tuple[Killed, Dialogs, Long]:
    """What came of them."""
    folder = tmp_path_factory.mktemp("killed")
    killed, dialogs, long = asyncio.run(all_in_one_cloud(azurite, folder, logs))
    table = killed.table()
    print(f"\n{table}")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table)
    return killed, dialogs, long


async def all_in_one_cloud(
    azurite: AzuriteAccounts, folder: Path, logs: Path
) -> tuple[Killed, Dialogs, Long]:
    """Kill one bot after the other, while a third one takes its time."""
    cloud = Cloud(folder)
    await cloud.start()
    try:
        async with asyncio.TaskGroup() as group:  # if one fails, the other bots end, too
            long = group.create_task(long_turn(cloud, azurite.fresh(), logs))
            killed = await killed_workers(cloud, azurite.fresh(), folder, logs)
            dialogs = await killed_dialogs(cloud, azurite.fresh(), folder, logs)
        return killed, dialogs, long.result()
    finally:
        await cloud.stop()


def queued(cloud: Cloud, storage: str) -> dict[str, str]:
    """Settings of a bot with queued turns."""
    return {**cloud.settings(), "AzureWebJobsStorage": storage, "BotTurns": QUEUED}


async def killed_workers(cloud: Cloud, storage: str, folder: Path, logs: Path) -> Killed:
    """Deliver at a steady rate while the workers are killed in turn."""
    now = asyncio.get_running_loop().time
    log = logs / "killed workers.log"
    settings = queued(cloud, storage) | patched(folder / "slow", SLOW_WRITES)
    bot = BotProcess(settings, log, options=("--workers", str(WORKERS)))
    async with bot, InsistentChannel(cloud, bot.messages) as channel:
        conversations = [channel.conversation() for _ in range(CONVERSATIONS)]
        activities = [
            channel.message(conversations[number % CONVERSATIONS], "count")
            for number in range(ACTIVITIES)
        ]
        start = now()
        kills: list[int] = []
        killing = asyncio.create_task(kill_in_turn(bot, channel, kills))
        await channel.deliver_all(activities, RATE)
        killing.cancel()
        await channel.answered(activities, MAX_REST)
        seconds = now() - start
        replies = channel.replies()
        # The last turns save after their replies.
        counters = await found(functools.partial(all_counters, storage, conversations))
    log_text = await asyncio.to_thread(log.read_text)
    wanted = {each.activity["id"] for each in activities}
    return Killed(
        activities=activities,
        replies=Counter({name: count for name, count in replies.items() if name in wanted}),
        counters=counters,
        kills=len(kills),
        in_flight=len(CUT_OFF.findall(log_text)),
        seconds=seconds,
    )


async def all_counters(storage: str, conversations: list[Conversation]) -> list[int]:
    """The counter of each conversation; none as long as messages are missing in them."""
    states = await stored_state(storage, conversations)
    counters = [state.get("counter", 0) for state in states.values()]
    return counters if sum(counters) >= ACTIVITIES else []


async def killed_dialogs(cloud: Cloud, storage: str, folder: Path, logs: Path) -> Dialogs:
    """Let users answer a dialog's questions; a worker dies while it runs the turns of each step."""
    log = logs / "killed dialogs.log"
    app = app_with(folder / "rental", {}, RENTAL)
    settings = queued(cloud, storage) | patched(folder / "slow", SLOW_WRITES)
    bot = BotProcess(settings, log, app, ("--workers", str(WORKERS)))
    async with bot, InsistentChannel(cloud, bot.messages) as channel:
        users = [Renter(channel, number) for number in range(RENTERS)]
        answers: list[Delivered] = []
        kills: list[int] = []
        for step in range(STEPS):
            given = [user.answer(channel, step) for user in users]
            await asyncio.gather(*(channel.deliver(answer) for answer in given))
            answers += given
            await comes_true(functools.partial(any_answered, channel, given), MAX_REST)
            kill(bot, step % WORKERS + 1, kills)
        await channel.answered(answers, MAX_REST)
    log_text = await asyncio.to_thread(log.read_text)
    return Dialogs(users, len(CUT_OFF.findall(log_text)))


def any_answered(channel: InsistentChannel, answers: list[Delivered]) -> bool:
    """Whether at least one of them has a reply."""
    return bool({each.activity["id"] for each in answers} & channel.replies().keys())


async def kill_in_turn(bot: BotProcess, channel: InsistentChannel, killed: list[int]) -> None:
    """Kill one worker after the other; on a slow machine, not before the bot has replied again."""
    while True:
        for number in range(1, WORKERS + 1):
            replies = channel.replies().total()
            await asyncio.sleep(KILL_EVERY)
            await comes_true(functools.partial(has_replied, channel, replies), MAX_REST)
            kill(bot, number, killed)


def has_replied(channel: InsistentChannel, before: int) -> bool:
    """Whether there are more replies than before."""
    return channel.replies().total() > before


def kill(bot: BotProcess, number: int, killed: list[int]) -> None:
    """Kill a worker, unless it has not been restarted since."""
    pid = bot.workers[number]
    if pid not in killed:
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)


async def long_turn(cloud: Cloud, storage: str, logs: Path) -> Long:
    """Let a bot think for long."""
    bot = BotProcess(queued(cloud, storage), logs / "long turn.log")
    async with bot, InsistentChannel(cloud, bot.messages) as channel:
        conversation = channel.conversation()
        message = channel.message(conversation, f"think {LONG_TURN}")
        await channel.deliver_once(message)
        early = len(conversation.activities)
        await channel.answered([message], LONG_TURN + MAX_REST)
        kinds = Counter(each["type"] for each in conversation.activities)
    return Long(message, early, kinds["typing"], kinds["message"])


def test_nothing_accepted_is_lost(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """Every activity is accepted at last, and every accepted one is answered."""
    killed, _, _ = outcomes
    assert killed.kills >= ACTIVITIES / RATE / KILL_EVERY - 1
    assert all(each.statuses[-1] == 202 for each in killed.activities)
    assert killed.lost == 0


def test_no_counter_is_wrong(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """Each conversation has counted each of its messages once, although turns were run again."""
    killed, _, _ = outcomes
    assert killed.wrong_counters == 0


def test_repeats_are_what_was_cut_off(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """A reply comes twice at most where a kill cut a turn off."""
    killed, _, _ = outcomes
    assert killed.repeated <= killed.in_flight


def test_no_step_of_a_dialog_is_lost_or_taken_twice(
    outcomes: tuple[Killed, Dialogs, Long],
) -> None:
    """Each answer is taken once and in order, although turns were run again."""
    _, dialogs, _ = outcomes
    print(f"{dialogs.in_flight} turns of dialogs cut off, {dialogs.repeated} replies sent twice")
    assert dialogs.in_flight
    assert dialogs.heard_once == [user.expected for user in dialogs.users]
    # The turn of the third answer, for example, sends two replies.
    assert dialogs.repeated <= 2 * dialogs.in_flight


def test_the_channel_does_not_wait_for_a_long_turn(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """The channel has its answer at once, the user sees that the bot is at work, and a reply."""
    _, _, long = outcomes
    print(f"A turn of {LONG_TURN} s: the channel waited for {long.delivered.seconds * 1000:.0f} ms")
    assert long.delivered.statuses == [202]
    assert long.early == 0
    assert long.typing > 1
    assert long.replies == 1
