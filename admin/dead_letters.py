"""`python -m admin.dead_letters`: what to do with turns that were given up."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from admin.storage_options import add_storage_options, storage_account
from auth.errors import BotError
from cloud_adapter.errors import NothingToRequeue
from cloud_adapter.queued.dead_letters import DeadLetter, DeadLetters
from cloud_adapter.queued.inbox import CONTAINER, Inbox
from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue

SHORT_ID = 8
"""Characters of a message's id that are shown."""

Deed = Callable[[DeadLetters, DeadLetter], Awaitable[None]]


def poison_turns(account: StorageAccount) -> DeadLetters:
    """What lies in an account's poison queue."""
    return DeadLetters(
        Inbox(BlobContainer(account, CONTAINER)),
        MessageQueue(account, QUEUE),
        MessageQueue(account, POISON_QUEUE),
    )


def line(turn: DeadLetter) -> str:
    """One turn, in one line."""
    accepted = f"{turn.accepted:%Y-%m-%d %H:%M:%S}Z" if turn.accepted else "-"
    conversation = turn.ring.conversation if turn.ring else "-"
    return f"{turn.message.id[:SHORT_ID]}  {accepted:20}  {conversation}  {turn.cause}"


async def show(turns: DeadLetters, *, traces: bool) -> int:
    """Print them all; they stay where they are."""
    found = [turn async for turn in turns.all()]
    for turn in found:
        print(turn.failure if traces else line(turn))
        await turns.keep(turn)
    print(f"{len(found)} in {POISON_QUEUE}")
    return 0


async def do(turns: DeadLetters, deed: Deed, ids: list[str], *, all_of_them: bool) -> int:
    """Replay or drop those that are named; the others stay.

    Args:
        turns: what lies there.
        deed: what is to be done.
        ids: the beginnings of messages' ids.
        all_of_them: whatever their ids.

    Returns:
        1 when a name fits none, or one could not be done; else 0.
    """
    wrong = 0
    left = set(ids)
    async for turn in turns.all():
        named = {each for each in ids if turn.message.id.startswith(each)}
        if not (named or all_of_them):
            await turns.keep(turn)
            continue
        left -= named
        try:
            await deed(turns, turn)
            print(line(turn))
        except NothingToRequeue as reason:
            await turns.keep(turn)
            print(f"{turn.message.id[:SHORT_ID]}: {reason}; drop it")
            wrong = 1
    for name in sorted(left):
        print(f"{name}: no message has this id")
        wrong = 1
    return wrong


DEEDS: dict[str, Deed] = {"replay": DeadLetters.replay, "drop": DeadLetters.drop}


async def run(options: argparse.Namespace) -> int:
    """Do what the command line says; returns the exit status."""
    account = storage_account(options)
    try:
        turns = poison_turns(account)
        if options.command == "list":
            return await show(turns, traces=options.traces)
        return await do(turns, DEEDS[options.command], options.id, all_of_them=options.all)
    finally:
        await account.close()


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m admin.dead_letters", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="show them, each with what made it fail")
    listing.add_argument("--traces", action="store_true", help="with the whole trace")
    add_storage_options(listing)
    for name, help_text in (
        ("replay", "let them be tried again, five times"),
        ("drop", "forget them: they get no turn"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("id", nargs="*", help="as `list` shows it, or its beginning")
        command.add_argument("--all", action="store_true", help="all of them")
        add_storage_options(command)
    options = parser.parse_args(arguments)
    if options.command != "list" and bool(options.id) == options.all:
        parser.error("name ids, or --all")
    return options


def main() -> None:
    """The command."""
    try:
        sys.exit(asyncio.run(run(parsed(sys.argv[1:]))))
    except BotError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
