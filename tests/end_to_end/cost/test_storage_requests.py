"""How many requests and round trips a turn costs, counted on the way to the storage."""

import statistics
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.storage.storage_wire import Exchange, StorageWire, round_trips
from tests.support.wire.insistent_channel import InsistentChannel

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/cloud_adapter/queued/test_requests.py",
        "tests/cloud_adapter/state/turns/test_round_trips.py",
    ]
)

TURNS = 5
"""Turns that are measured, one after the other. A slow machine may spoil some."""

DELAY = {"": 0.2}
"""Seconds that every request to the storage takes, so that it shows which ones wait for others."""

MAX_IDS = 110
"""Turns after which a conversation's state has as many ids of turns as it ever has."""

MANY = 500
"""Turns of a conversation."""

DIGITS = 64
"""Bytes by which numbers have grown meanwhile."""

WITHIN = 120.0
"""Seconds that nothing takes."""

COUNTS_USERS = {
    "bot_logic/__init__.py": '''
from botbuilder.core import ActivityHandler


class CountingBot(ActivityHandler):
    """Counts messages in a conversation and of a user."""

    def __init__(self, *states):
        self.counters = [state.create_property("counter") for state in states]

    async def on_message_activity(self, turn_context):
        counts = []
        for counter in self.counters:
            count = await counter.get(turn_context, lambda: 0) + 1
            await counter.set(turn_context, count)
            counts.append(count)
        await turn_context.send_activity(f"Counts: {counts}")


def create_bot(services):
    return CountingBot(services.conversation_state, services.user_state)
'''
}


@dataclass(frozen=True)
class Measured:
    """What one turn has sent to the storage.

    Attributes:
        exchanges: its requests, the host's too.
        replies: the messages that the bot had sent before.
        answered: the number of events at the storage when the channel had its answer.
    """

    exchanges: list[Exchange]
    replies: int
    answered: int

    @property
    def bytes(self) -> int:
        """What was sent and received."""
        return sum(each.sent + each.received for each in self.exchanges)

    @property
    def before_reply(self) -> int:
        """Round trips from the beginning, or from the wake-up message, to the reply."""
        delivered = [each.ended for each in self.exchanges if each.delivers]
        start = min(delivered, default=0)
        return round_trips(
            [
                each
                for each in self.exchanges
                if each.began > start and each.replies == self.replies and _is_awaited(each)
            ]
        )

    @property
    def before_answer(self) -> int:
        """Round trips before the channel was answered."""
        return round_trips(
            [
                each
                for each in self.exchanges
                if 0 < each.ended <= self.answered and _is_awaited(each)
            ]
        )


def _is_awaited(exchange: Exchange) -> bool:
    """Whether a turn may wait for it: conversation references are stored beside the turn."""
    return not exchange.is_poll and not exchange.path.startswith("bot-references/")


class MeasuredBot:
    """A bot whose storage is watched.

    Args:
        channel: in front of the bot.
        wire: in front of the storage.
    """

    def __init__(self, channel: InsistentChannel, wire: StorageWire) -> None:
        self.channel = channel
        self._wire = wire

    async def turn(self, conversation: Conversation) -> Measured:
        """Let the bot count a message."""
        start = len(self._wire.exchanges)
        replies = self.channel.replies().total()
        message = self.channel.message(conversation, "count")
        await self.channel.deliver_once(message)
        answered = self._wire.events
        await self.channel.answered([message], WITHIN)
        await self._wire.quiet()
        return Measured(self._wire.since(start), replies, answered)

    async def turns(self, conversation: Conversation, count: int) -> None:
        """Let the bot count more messages, which nobody measures."""
        messages = [self.channel.message(conversation, "count") for _ in range(count)]
        for message in messages:
            await self.channel.deliver(message)
        await self.channel.answered(messages, WITHIN)

    async def first_turns(self) -> list[Measured]:
        """The first turns of some conversations."""
        return [await self.turn(self.channel.conversation()) for _ in range(TURNS)]

    async def later_turns(self) -> list[Measured]:
        """Turns of a conversation that has had some."""
        conversation = self.channel.conversation()
        return [await self.turn(conversation) for _ in range(2 + TURNS)][2:]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud for this file's bots."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("requests"))) as thread:
        yield thread.cloud


@asynccontextmanager
async def measured(
    cloud: Cloud,
    storage: str,
    turns: str,
    log: Path,
    app: Path | None = None,
    delays: Mapping[str, float] = DELAY,
) -> AsyncIterator[MeasuredBot]:
    """A bot of its own."""
    async with StorageWire(storage, delays) as wire:
        settings = {"AzureWebJobsStorage": wire.connection_string, "BotTurns": turns}
        async with (
            BotProcess({**cloud.settings(), **settings}, log, app) as bot,
            InsistentChannel(cloud, bot.messages) as channel,
        ):
            wire.replies = lambda: channel.replies().total()
            yield MeasuredBot(channel, wire)


def usual(figures: Iterable[int]) -> int:
    """The figure of most turns."""
    return statistics.mode(figures)


async def test_inline(cloud: Cloud, storage: str, logs: Path) -> None:
    """A turn with conversation state has four requests, and one round trip before its reply."""
    async with measured(cloud, storage, INLINE, logs / "requests inline.log") as bot:
        first, later = await bot.first_turns(), await bot.later_turns()
    show("Inline", first, later)
    assert usual(turn.before_reply for turn in first) == 1
    assert usual(turn.before_reply for turn in later) == 1
    assert usual(len(turn.exchanges) for turn in later) == 4


async def test_inline_with_user_state(
    cloud: Cloud, storage: str, tmp_path: Path, logs: Path
) -> None:
    """The user's state is read beside the conversation's."""
    app = app_with(tmp_path / "app", COUNTS_USERS)
    async with measured(cloud, storage, INLINE, logs / "requests user state.log", app) as bot:
        first, later = await bot.first_turns(), await bot.later_turns()
    show("Inline with user state", first, later)
    assert usual(turn.before_reply for turn in first) == 1
    assert usual(turn.before_reply for turn in later) == 1
    assert usual(len(turn.exchanges) for turn in later) <= 6


async def test_queued(cloud: Cloud, storage: str, logs: Path) -> None:
    """A turn has nine requests, the host's included, and is accepted in one round trip."""
    async with measured(cloud, storage, QUEUED, logs / "requests queued.log") as bot:
        first, later = await bot.first_turns(), await bot.later_turns()
    show("Queued", first, later)
    assert usual(turn.before_answer for turn in later) == 1
    assert usual(turn.before_reply for turn in later) <= 3
    assert usual(len(turn.exchanges) for turn in later) <= 9


@pytest.mark.parametrize("turns", [INLINE, QUEUED])
async def test_growth(cloud: Cloud, storage: str, logs: Path, turns: str) -> None:
    """A turn late in a conversation costs what an early one does."""
    log = logs / f"requests growth {turns}.log"
    async with measured(cloud, storage, turns, log, delays={}) as bot:
        conversation = bot.channel.conversation()
        early = [await bot.turn(conversation) for _ in range(3 + TURNS)][3:]
        await bot.turns(conversation, MAX_IDS - len(early))
        middle = [await bot.turn(conversation) for _ in range(TURNS)]
        await bot.turns(conversation, MANY - MAX_IDS)
        late = [await bot.turn(conversation) for _ in range(TURNS)]
    show(f"{turns}, early and late", early, late)
    assert usual_cost(late)[0] == usual_cost(early)[0] == usual_cost(middle)[0]
    # State has the ids of the last turns.
    assert usual_cost(late)[1] - usual_cost(middle)[1] < DIGITS


def usual_cost(turns: list[Measured]) -> tuple[int, int]:
    """The requests of most turns, and the fewest bytes of such a turn."""
    requests = usual(len(turn.exchanges) for turn in turns)
    return requests, min(turn.bytes for turn in turns if len(turn.exchanges) == requests)


def show(name: str, *turns: list[Measured]) -> None:
    """Print what was measured."""
    print()
    for each in turns:
        print(
            f"{name}: requests {[len(turn.exchanges) for turn in each]}, round trips before the "
            f"reply {[turn.before_reply for turn in each]}, before the answer "
            f"{[turn.before_answer for turn in each]}, bytes {[turn.bytes for turn in each]}"
        )
        print("    " + ", ".join(exchange.name for exchange in each[-1].exchanges))
