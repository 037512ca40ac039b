"""Stage: what a scenario has for itself: a cloud, a storage account, a bot, and its host."""

import asyncio
import contextlib
import shutil
import time
from collections import ChainMap
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from auth.settings import QUEUED
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite
from cloud_adapter.adapter import APOLOGY
from tests.support.bots.app_folder import app_with
from tests.support.bots.restarted_bot import RestartedBot
from tests.support.load.counted_conversations import CountedConversation, CountedConversations
from tests.support.load.deaths.bot import JOURNAL
from tests.support.load.deaths.outcome import Figure, at_most, exactly
from tests.support.load.deaths.turn_journal import Run, TurnJournal
from tests.support.load.deaths.worker_watch import WorkerWatch
from tests.support.timing.condition import comes_true
from tests.support.wire.insistent_channel import InsistentChannel

BOTS = ("bot", "agents_bot")
"""The folders of the bots: BotBuilder's, and an AgentApplication."""

MAX_REST_SECONDS = 900.0
"""After the last acceptance. A wake-up that a dead host had taken stays hidden for ten minutes."""

MAX_RERUN_SECONDS = 45.0
"""From a death until a turn that it cut off begins again."""

LONG_SECONDS = 10.0
"""A turn that has run for so long begins again in that time."""

DELIVERIES = 100_000
"""No activity is given up: a host may answer 503 for minutes."""

BROKEN = "raise RuntimeError('broken by a deployment')\n"


class Stage:
    """One scenario's.

    Args:
        bot: the bot's folder, whose files the scenario may change.
        storage: the connection string of its account.
        host: runs the bot, and is started again when it has ended.
        watch: of the host's workers.
        channel: delivers to it.
        journal: of the bot's turns.
    """

    def __init__(
        self,
        bot: Path,
        storage: str,
        host: RestartedBot,
        watch: WorkerWatch,
        channel: InsistentChannel,
        journal: TurnJournal,
    ) -> None:
        self._module = bot / "__init__.py"
        self._sound = self._module.read_text()
        self._storage = storage
        self._start = time.monotonic()
        self.host = host
        self.watch = watch
        self.channel = channel
        self.journal = journal

    def users(self, sizes: Sequence[int], text: str) -> CountedConversations:
        """Users, each with a conversation of so many messages, which all say the same."""
        return CountedConversations(self.channel, sizes, text)

    async def have_begun(self, users: CountedConversations) -> None:
        """Wait until each message has begun its turn."""
        wanted = {each.activity["id"] for each in users.messages}
        await comes_true(lambda: wanted <= self.journal.runs().keys())

    def break_bot(self) -> None:
        """Deploy a bot that cannot be imported; a worker that is started now has it."""
        self._module.write_text(BROKEN + self._sound)

    def repair_bot(self) -> None:
        """Deploy the sound bot again."""
        self._module.write_text(self._sound)

    async def figures(self, *groups: CountedConversations) -> dict[str, Figure]:
        """Wait until all is answered, and count.

        Args:
            groups: innocent users: each of their messages is answered, and none with an apology.
        """
        settled = (each.settle(self._storage, MAX_REST_SECONDS) for each in groups)
        counters = dict(ChainMap(*await asyncio.gather(*settled)))
        users = [each for group in groups for each in group.all]
        messages = [message for each in users for message in each.messages]
        died = dict(self.watch.died)
        reruns = self.journal.reruns(died)
        of_long = [each for each in reruns if each.had_run >= LONG_SECONDS]
        return {
            "activities": Figure(len(messages)),
            "not accepted": exactly(sum(not each.taken for each in messages), 0),
            "lost": exactly(sum(each.lost for each in users), 0),
            "wrong counters": exactly(
                sum(counters.get(each.conversation.id) != len(each.messages) for each in users), 0
            ),
            "out of order": exactly(sum(not each.in_order for each in users), 0),
            "apologies to innocents": exactly(sum(apologies(each) for each in users), 0),
            "dead workers": Figure(len(died)),
            "host starts": Figure(self.host.starts),
            "turns begun again": Figure(len(reruns)),
            "turns of 10 s and more begun again": Figure(len(of_long)),
            "their second run, s after the death (longest)": at_most(
                max((each.after for each in of_long if each.number == 2), default=0.0),
                MAX_RERUN_SECONDS,
            ),
            "their later runs, s after the death (longest)": Figure(
                max((each.after for each in of_long if each.number > 2), default=0.0)
            ),
            "replies sent twice": Figure(sum(each.repeated for each in users)),
            "wait for a reply, s (longest)": Figure(max(each.longest_wait for each in users)),
            "duration, s": Figure(time.monotonic() - self._start),
        }


class Killer:
    """A user whose only message ends or blocks the bot's process whenever its turn runs.

    Args:
        stage: the scenario's.
        text: the message's.
    """

    def __init__(self, stage: Stage, text: str) -> None:
        self._stage = stage
        self._user = CountedConversations(stage.channel, [1], text).all[0]
        self._message = self._user.messages[0]

    @property
    def runs(self) -> Sequence[Run]:
        """Those of its turn."""
        return self._stage.journal.runs().get(self._message.activity["id"], [])

    async def deliver(self) -> None:
        """Deliver the message until it is accepted."""
        await self._stage.channel.deliver(self._message)

    async def figures(self, name: str, *, beside_another: bool = False) -> dict[str, Figure]:
        """Wait until it is answered, and count.

        Args:
            name: in the table.
            beside_another: another killer may end the process when this turn is about to begin:
                then a run is counted that nobody has seen.
        """
        with contextlib.suppress(AssertionError):  # the figures say what is missing
            await comes_true(lambda: not self._user.lost, MAX_REST_SECONDS)
        return {
            f"runs of {name}": at_most(len(self.runs), 5)
            if beside_another
            else exactly(len(self.runs), 5),
            f"apologies to {name}": exactly(apologies(self._user), 1),
        }


def apologies(user: CountedConversation) -> int:
    """The number that a user got."""
    return sum(text == APOLOGY for _, text in user.replies)


@asynccontextmanager
async def stage(folder: Path, log: Path, bot_folder: str) -> AsyncIterator[Stage]:
    """A scenario's own resources, as long as the block runs.

    It has its own Azurite, too: after ten minutes, Azurite deletes overwritten blobs, and answers
    nothing meanwhile, the longer the more they are.

    Args:
        folder: a new one.
        log: file for the host's log. The journal is written beside it, with the suffix `.turns`.
        bot_folder: one of BOTS.
    """
    bot, journal = _own_bot(folder, bot_folder), log.with_suffix(".turns")
    cloud, azurite = Cloud(folder), Azurite()
    async with AsyncExitStack() as stack:
        for service in (azurite, cloud):
            stack.push_async_callback(service.stop)
            await service.start()
        storage = azurite.connection_string()
        settings = {"AzureWebJobsStorage": storage, "BotTurns": QUEUED, JOURNAL: str(journal)}
        app = app_with(folder / "app", {}, bot)
        host, watch = RestartedBot(cloud.settings() | settings, log, app), WorkerWatch(log)
        await stack.enter_async_context(_running(host))
        await stack.enter_async_context(watch)
        channel = InsistentChannel(cloud, host.messages, DELIVERIES)
        await stack.enter_async_context(channel)
        yield Stage(bot, storage, host, watch, channel, TurnJournal(journal))


@asynccontextmanager
async def _running(host: RestartedBot) -> AsyncIterator[None]:
    """Run it. A start that is interrupted goes on in its thread, so that it is awaited."""
    starting = asyncio.create_task(host.__aenter__())
    try:
        await asyncio.shield(starting)
        yield
    finally:
        await starting
        await host.__aexit__()


def _own_bot(folder: Path, name: str) -> Path:
    source = Path(__file__).parent / name
    copied = shutil.copytree(source, folder / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    return Path(copied)
