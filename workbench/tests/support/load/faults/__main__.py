"""A share of all calls to storage fails: how late a counting bot answers, and what is lost.

The bot runs in a host of its own. A message is delivered again, under its id, until it is accepted.
When all are, storage heals, and replies and counters are counted. The exit status is 1 if a message
is lost, a counter is wrong, or the bot is too late.

Usage: python -m tests.support.load.faults --mode Inline --share 0.3
"""

import argparse
import asyncio
import base64
import contextlib
import json
import random
import re
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from auth.settings import INLINE, QUEUED
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite
from cloud_adapter.storage.blobs import name_part
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.load.counted_conversations import CountedConversation, CountedConversations
from tests.support.load.faults.bot import JOURNAL
from tests.support.project import ROOT
from tests.support.storage.storage_front import (
    Pass,
    Passage,
    StorageFront,
    answered,
    cut_after,
    cut_before,
)
from tests.support.wire.insistent_channel import CHANNEL, Delivered, InsistentChannel

SIZES = [1] * 60 + [3] * 40 + [10] * 12
"""The messages of each conversation, one after the other: 300 in all."""

BOTS = ("bot", "agents_bot")
"""The folders of the bots: BotBuilder's, and an AgentApplication."""

DELIVERY_SECONDS = 20.0
SILENT_SECONDS = 10.0
SETTLE_SECONDS = 180.0
"""After the last acceptance: six times the longest pause between two wake-up messages."""

LATEST_SECONDS = {INLINE: 10.0, QUEUED: 9.0}
"""From the arrival of a message until its turn has its first state, or until it is answered."""

AFTER_ASKING_SECONDS = 4.0
"""From asking for the first state until it is there or refused, if that is later."""

MARGIN_SECONDS = 0.3
"""The memory that connections and this process take, beside what is measured."""


async def silent(passage: Passage, _: Pass) -> web.StreamResponse:
    """No answer for some seconds, and none after that."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(passage.given_up(), SILENT_SECONDS)
    return passage.cut()


FAULTS = (answered(500), answered(503), cut_before, cut_after, silent)


async def run(mode: str, share: float, seed: int, bot_folder: str) -> int:
    """Deliver all messages, and print what came of them; returns the exit status."""
    log = ROOT / "artifacts" / f"faults {bot_folder} {mode} {share}.log"
    log.parent.mkdir(exist_ok=True)
    (journal := log.with_suffix(".turns")).write_text("")
    chance, outcomes = random.Random(seed), Counter[str]()  # noqa: S311  # no secret
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cloud, azurite = Cloud(folder), Azurite()
        for service in (azurite, cloud):
            stack.push_async_callback(service.stop)
            await service.start()
        storage = azurite.connection_string()
        front = await stack.enter_async_context(StorageFront(storage))
        settings = {"AzureWebJobsStorage": front.connection_string, "BotTurns": mode}
        app = app_with(folder / "app", {}, Path(__file__).parent / bot_folder)
        settings = cloud.settings() | settings | {JOURNAL: str(journal)}
        bot = await stack.enter_async_context(BotProcess(settings, log, app))
        channel = InsistentChannel(cloud, bot.messages, max_deliveries=1000, max_wait=60.0)
        await stack.enter_async_context(channel)
        warm, users = CountedConversations(channel, [1]), CountedConversations(channel, SIZES)
        await warm.deliver(0)
        await warm.settle(storage, SETTLE_SECONDS)
        inboxes = {
            name_part(f"{CHANNEL}/conversations/{each.conversation.id}"): each for each in users.all
        }

        async def fail(passage: Passage, passed: Pass) -> web.StreamResponse:
            fault = chance.choice(FAULTS) if chance.random() < share else None
            if fault is cut_after and passage.call.name == "GET queue bot-turns":
                fault = cut_before  # else the host's messages stay hidden for ten minutes
            outcomes["calls that failed" if fault else "calls that did not"] += 1
            if fault in (None, cut_after) and passage.call.name == "POST queue bot-turns":
                outcomes["late wake-ups"] += await _is_late(passage, inboxes)
            return await (fault(passage, passed) if fault else passed())

        front.spoil("", fail)
        await users.deliver(DELIVERY_SECONDS)
        front.heal()
        counters = await users.settle(storage, SETTLE_SECONDS)
    late = _print_waits(users.messages, mode, journal)
    wrong = sum(counters.get(each.conversation.id) != len(each.messages) for each in users.all)
    lost, repeated = (
        sum(getattr(each, name) for each in users.all) for name in ("lost", "repeated")
    )
    print(f"storage: {dict(outcomes)}; replies sent twice: {repeated}")
    print(f"messages lost: {lost} of {sum(SIZES)}; counters wrong: {wrong} of {len(SIZES)}")
    return 1 if wrong or lost or late else 0


async def _is_late(passage: Passage, inboxes: dict[str, CountedConversation]) -> bool:
    """Whether a wake-up message is put while no activity of its conversation is delivered."""
    encoded = re.search("<MessageText>(.*)</MessageText>", await passage.text())
    wake_up = json.loads(base64.b64decode(encoded[1])) if encoded else {}
    counted = inboxes.get(wake_up.get("inbox", ""))
    if counted is None or passage.query["visibilitytimeout"] != "0":
        return False  # a drain's own
    return not any(each.under_way for each in counted.messages)


def _print_waits(messages: list[Delivered], mode: str, journal: Path) -> int:
    """Print how long each delivery waited; returns how many waited too long."""
    notes = [line.split() for line in journal.read_text().splitlines()] if mode == INLINE else []
    waits: dict[str, list[float]] = {}
    late = 0
    for message in messages:
        for sent, ended, status in zip(
            message.sent_at, message.ended_at, message.statuses, strict=True
        ):
            own = [
                (event, float(at) - sent)
                for event, activity_id, at in notes
                if activity_id == message.activity["id"] and sent <= float(at) <= ended
            ]
            waited, latest = ended - sent, LATEST_SECONDS[mode]
            waits.setdefault(f"answer {status}", []).append(waited)
            if own:  # it has begun, and has asked for its state
                latest = max(latest, own[0][1] + AFTER_ASKING_SECONDS)
                waited = own[1][1] if len(own) > 1 else waited
                name = "state" if len(own) > 1 else f"no state, {status}"  # 200: a repeat
                waits.setdefault(name, []).append(waited)
            late += waited > latest + MARGIN_SECONDS
    for name, seconds in sorted(waits.items()):
        longer = {limit: sum(each > limit for each in seconds) for limit in (8, 9, 10, 12, 15)}
        print(f"{name}: {len(seconds)}, latest {max(seconds):.1f} s, more than: {longer}")
    print(f"later than the limit: {late}")
    return late


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m tests.support.load.faults", description=__doc__)
    parser.add_argument("--mode", choices=[INLINE, QUEUED], default=INLINE)
    parser.add_argument(
        "--share", type=float, default=0.3, help="of the calls to storage that fail"
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses which")
    parser.add_argument("--bot", choices=BOTS, default=BOTS[0], help="of which SDK")
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.mode, given.share, given.seed, given.bot)))
