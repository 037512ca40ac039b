"""Worker processes are killed while turns are queued; meanwhile another bot takes its time.

The host ends itself when its workers have died too often, and is started again.
"""

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
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.bots.patched_bot import with_rules
from tests.support.bots.restarted_bot import RestartedBot
from tests.support.load.counted_conversations import CountedConversation, CountedConversations
from tests.support.load.renter import RENTAL, STEPS, Renter
from tests.support.program import is_running
from tests.support.storage.storage_wire import StorageWire
from tests.support.timing.condition import comes_true
from tests.support.wire.insistent_channel import Delivered, InsistentChannel

pytestmark = [
    pytest.mark.timeout(900),  # the first test waits for all bots
    pytest.mark.extended(
        covered_by=[
            "tests/cloud_adapter/queued/test_dying_processes.py",
            "tests/cloud_adapter/queued/test_storage_faults.py",
        ]
    ),
]


ACTIVITIES, KILLS = 1000, 10
"""How many activities are delivered, and workers killed meanwhile."""

BUSY = 20
"""Conversations that get half of the activities."""

QUIET_MESSAGES = 4
"""Messages in each of the other conversations."""

RENTERS = 12
KILL_EVERY = 2.0
"""Seconds."""

WORKERS = 2
LONG_TURN = 40
"""Seconds that the other bot thinks."""

RULES = {
    "restart_interval": 1,
    "initialization": 2,
    "http_grace": 5,
    "queue_grace": 2,
    "message_visibility": 30,
}
"""Of the host, in seconds: shorter than the real ones."""

SLOW_WRITES = {"PUT blob": 0.1}
"""Seconds. Between a reply, the state and the end of a turn there is time to be killed in."""

MAX_REST = 300.0
"""Seconds after the last acceptance in which all must be answered."""

TABLE = APP / "artifacts" / "killed_workers.md"
CUT_OFF = re.compile(r"Message \S+ .*the worker process ended during the invocation")


@dataclass(frozen=True)
class Killed:
    """What came of the activities.

    Attributes:
        conversations: all that were delivered, and their replies.
        counters: of the conversations' states.
        kills: worker processes that were killed.
        hosts: how many were started, because the one before had ended itself.
        in_flight: invocations of `turns` that the kills cut off.
        seconds: from the first delivery to the last answer.
        requests: to storage, without polls that found nothing.
    """

    conversations: list[CountedConversation]
    counters: dict[str, int]
    kills: int
    hosts: int
    in_flight: int
    seconds: float
    requests: int

    @property
    def activities(self) -> list[Delivered]:
        """All that were delivered."""
        return [message for each in self.conversations for message in each.messages]

    @property
    def lost(self) -> int:
        """Accepted, and never answered."""
        return sum(each.lost for each in self.conversations)

    @property
    def repeated(self) -> int:
        """Replies beyond the first to an activity."""
        return sum(each.repeated for each in self.conversations)

    @property
    def out_of_order(self) -> int:
        """Conversations whose replies did not count their messages in the order of acceptance."""
        return sum(not each.in_order for each in self.conversations)

    @property
    def wrong_counters(self) -> int:
        """Conversations whose counter is not the number of their messages."""
        return sum(
            self.counters[each.conversation.id] != len(each.messages) for each in self.conversations
        )

    def table(self) -> str:
        """The figures, in Markdown."""
        rows = {
            "activities": len(self.activities),
            "in busy conversations": sum(len(each.messages) for each in self.conversations[:BUSY]),
            "conversations": len(self.conversations),
            "accepted": sum(each.taken for each in self.activities),
            "deliveries": sum(len(each.statuses) for each in self.activities),
            "kills": self.kills,
            "hosts": self.hosts,
            "turns cut off by them": self.in_flight,
            "lost": self.lost,
            "replies sent twice": self.repeated,
            "wrong counters": self.wrong_counters,
            "conversations out of order": self.out_of_order,
            "storage requests an activity": round(self.requests / len(self.activities), 1),
            "longest wait for a reply, s": round(
                max(each.longest_wait for each in self.conversations), 1
            ),
            "seconds until all were answered": round(self.seconds, 1),
        }
        lines = [f"| {name} | {value} |" for name, value in rows.items()]
        return "\n".join(["| killed workers | |", "|---|---|", *lines, ""])


@dataclass(frozen=True)
class Long:
    """A turn that took its time.

    Attributes:
        delivered: the activity.
        early: replies that the user had got when the channel was answered.
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
    azurite: AzuriteAccounts,
    tmp_path_factory: pytest.TempPathFactory,
    logs: Path,
) -> tuple[Killed, Dialogs, Long]:
    """What came of them."""
    folder = tmp_path_factory.mktemp("killed")
    killed, dialogs, long = asyncio.run(all_in_one_cloud(azurite, folder, logs))
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(killed.table())
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
            print(f"\n{killed.table()}")
            dialogs = await killed_dialogs(cloud, azurite.fresh(), folder, logs)
        return killed, dialogs, long.result()
    finally:
        await cloud.stop()


def queued(cloud: Cloud, storage: str) -> dict[str, str]:
    """Settings of a bot with queued turns."""
    return {**cloud.settings(), "AzureWebJobsStorage": storage, "BotTurns": QUEUED}


async def killed_workers(cloud: Cloud, storage: str, folder: Path, logs: Path) -> Killed:
    """Deliver at a steady rate while the workers are killed, one after the other."""
    now = asyncio.get_running_loop().time
    log = logs / "killed workers.log"
    options = ("--workers", str(WORKERS))
    rules = with_rules(folder / "rules", **RULES)
    async with (
        StorageWire(storage, SLOW_WRITES) as wire,
        RestartedBot(queued(cloud, wire.connection_string) | rules, log, options=options) as bot,
        InsistentChannel(cloud, bot.messages) as channel,
    ):
        busy = [ACTIVITIES // 2 // BUSY] * BUSY
        quiet = [QUIET_MESSAGES] * ((ACTIVITIES - sum(busy)) // QUIET_MESSAGES)
        users = CountedConversations(channel, [*busy, *quiet])
        start = now()
        kills: list[int] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(kill_in_turn(bot, users, kills, KILLS))
            await users.deliver(KILLS * KILL_EVERY)
        counters = await users.settle(storage, MAX_REST)
        seconds, hosts = now() - start, bot.starts
    log_text = await asyncio.to_thread(log.read_text)
    return Killed(
        conversations=users.all,
        counters=counters,
        kills=len(kills),
        hosts=hosts,
        in_flight=len(CUT_OFF.findall(log_text)),
        seconds=seconds,
        requests=len(wire.since(0)),
    )


async def killed_dialogs(cloud: Cloud, storage: str, folder: Path, logs: Path) -> Dialogs:
    """Let users answer a dialog's questions; a worker dies while it runs the turns of each step."""
    log = logs / "killed dialogs.log"
    app = app_with(folder / "rental", {}, RENTAL)
    options = ("--workers", str(WORKERS))
    rules = with_rules(folder / "rules", **RULES)
    async with (
        StorageWire(storage, SLOW_WRITES) as wire,
        RestartedBot(queued(cloud, wire.connection_string) | rules, log, app, options) as bot,
        InsistentChannel(cloud, bot.messages) as channel,
    ):
        users = [Renter(channel, number) for number in range(RENTERS)]
        answers: list[Delivered] = []
        kills: list[int] = []
        for step in range(STEPS):
            given = [user.answer(channel, step) for user in users]
            await asyncio.gather(*(channel.deliver(answer) for answer in given))
            answers += given
            await comes_true(functools.partial(any_answered, channel, given), MAX_REST)
            await kill(bot, kills)
        await channel.answered(answers, MAX_REST)
    log_text = await asyncio.to_thread(log.read_text)
    return Dialogs(users, len(CUT_OFF.findall(log_text)))


def any_answered(channel: InsistentChannel, answers: list[Delivered]) -> bool:
    """Whether at least one of them has a reply."""
    return bool({each.activity["id"] for each in answers} & channel.replies().keys())


async def kill_in_turn(
    bot: RestartedBot, users: CountedConversations, killed: list[int], count: int
) -> None:
    """Kill one worker after the other; on a slow machine, not before the bot has replied again."""
    for _ in range(count):
        before = users.reply_count
        await asyncio.sleep(KILL_EVERY)
        await comes_true(functools.partial(has_replied, users, before), MAX_REST)
        await kill(bot, killed)


def has_replied(users: CountedConversations, before: int) -> bool:
    """Whether there are more replies than before."""
    return users.reply_count > before


async def kill(bot: RestartedBot, killed: list[int]) -> None:
    """Kill the oldest worker, as soon as one runs."""

    def running() -> list[int]:
        return [pid for pid in bot.workers.values() if is_running(pid)]

    await comes_true(lambda: bool(running()), MAX_REST)
    pid = min(running())
    os.kill(pid, signal.SIGKILL)
    killed.append(pid)


async def long_turn(cloud: Cloud, storage: str, logs: Path) -> Long:
    """Let a bot think for long."""
    bot = BotProcess(queued(cloud, storage), logs / "long turn.log")
    async with bot, InsistentChannel(cloud, bot.messages) as channel:
        conversation = channel.conversation()
        message = channel.message(conversation, f"think {LONG_TURN}")
        await channel.deliver_once(message)
        # Not its typing: on a busy machine that may come before the answer.
        early = sum(each["type"] == "message" for each in conversation.activities)
        await channel.answered([message], LONG_TURN + MAX_REST)
        kinds = Counter(each["type"] for each in conversation.activities)
    return Long(message, early, kinds["typing"], kinds["message"])


def test_nothing_accepted_is_lost(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """Every activity is accepted at last, and every accepted one is answered."""
    killed, _, _ = outcomes
    assert (len(killed.activities), killed.kills) == (ACTIVITIES, KILLS)
    assert all(each.statuses[-1] == 202 for each in killed.activities)
    assert killed.lost == 0


def test_no_counter_is_wrong(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """Each conversation has counted each of its messages once, although turns were run again."""
    killed, _, _ = outcomes
    assert killed.wrong_counters == 0


def test_turns_run_in_order(outcomes: tuple[Killed, Dialogs, Long]) -> None:
    """Each conversation has counted its messages in the order in which they were accepted."""
    killed, _, _ = outcomes
    assert killed.out_of_order == 0


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
