"""`bot dead-letters`: lists, replays and drops activities that failed too often."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from bot_workbench.admin.console import JsonOption
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app.dead_letter_output import Outcome, print_listing, print_outcome
from bot_workbench.app.storage_options import (
    AccountOption,
    ConnectionStringOption,
    storage_account,
)
from cloud_adapter.errors import NothingToRequeue
from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE
from cloud_adapter.queued.set_aside import CONTAINER, DeadLetter, DeadLetters, SetAsideActivities
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue

app = typer.Typer(
    help="List, replay and drop dead letters: activities whose turns failed too often.",
    no_args_is_help=True,
    add_completion=False,
)

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="As `list` shows it, or its beginning."),
]
Everything = Annotated[
    bool, typer.Option("--all", metavar="", help="All dead letters, in place of ids.")
]
Traces = Annotated[
    bool, typer.Option("--traces", metavar="", help="Print each redacted traceback.")
]
Yes = Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask before dropping all.")]

Action = Callable[[DeadLetters, DeadLetter], Awaitable[None]]


@app.command("list")
def list_dead_letters(
    *,
    traces: Traces = False,
    as_json: JsonOption = False,
    account: AccountOption = None,
    connection_string: ConnectionStringOption = None,
) -> None:
    """List the dead letters, each with the error of its last turn.

    They stay where they are.

    [bold]Examples[/bold]

      bot dead-letters list
      bot dead-letters list --account mybot --traces

    [bold]Exit status[/bold]

      0  there are none
      1  there are some
      2  the command line is wrong
      3  the storage account cannot be reached

    [bold]--json[/bold] prints one JSON array, with an object for each:

      {"id": GUID, "accepted": TIME, "conversation": NAME,
       "cause": TEXT, "traceback": TEXT}

    "accepted" is ISO 8601 in UTC. It and "conversation" are null where
    they are not known.
    """
    found = asyncio.run(_list(storage_account(account, connection_string)))
    print_listing(found, traces=traces, as_json=as_json)
    raise typer.Exit(ExitStatus.FOUND if found else ExitStatus.DONE)


@app.command("replay")
def replay(
    ids: Ids = None,
    *,
    everything: Everything = False,
    as_json: JsonOption = False,
    account: AccountOption = None,
    connection_string: ConnectionStringOption = None,
) -> None:
    """Requeue dead letters: their turns get five new attempts.

    Fix the cause first: `list --traces` shows it.

    [bold]Examples[/bold]

      bot dead-letters replay 1b9d6bcd 5f3a
      bot dead-letters replay --all --account mybot

    [bold]Exit status[/bold]

      0  all of them are requeued
      1  one was not: no dead letter has this id, or its activity is gone
      2  the command line is wrong; nothing was done
      3  the storage account cannot be reached

    [bold]--json[/bold] prints one JSON object:

      {"done": [GUID], "failed": {GUID: REASON}, "unknown": [ID]}
    """
    _check_selection(ids, everything=everything)
    storage = storage_account(account, connection_string)
    _finish(asyncio.run(_act(storage, DeadLetters.requeue, ids or [])), "requeued", as_json=as_json)


@app.command("drop")
def drop(
    ids: Ids = None,
    *,
    everything: Everything = False,
    yes: Yes = False,
    as_json: JsonOption = False,
    account: AccountOption = None,
    connection_string: ConnectionStringOption = None,
) -> None:
    """Delete dead letters: their activities get no turn.

    What waits in an inbox, because the app could not start, still runs
    with the conversation's next activity.

    On a terminal, `--all` asks first.

    [bold]Examples[/bold]

      bot dead-letters drop 1b9d6bcd
      bot dead-letters drop --all --yes

    [bold]Exit status[/bold]

      0  all of them are dropped
      1  one was not: no dead letter has this id; or you answered no
      2  the command line is wrong; nothing was done
      3  the storage account cannot be reached

    [bold]--json[/bold] prints one JSON object:

      {"done": [GUID], "failed": {GUID: REASON}, "unknown": [ID]}
    """
    _check_selection(ids, everything=everything)
    storage = storage_account(account, connection_string)
    if everything and not yes and sys.stdin.isatty():
        question = "Drop all dead letters? They cannot be replayed afterwards."
        typer.confirm(question, abort=True, err=True)
    _finish(asyncio.run(_act(storage, DeadLetters.drop, ids or [])), "dropped", as_json=as_json)


def _check_selection(ids: list[str] | None, *, everything: bool) -> None:
    if bool(ids) == everything:
        raise typer.BadParameter("give the ids of dead letters, or --all")


def _finish(outcome: Outcome, done: str, *, as_json: bool) -> None:
    print_outcome(outcome, done, as_json=as_json)
    whole = not outcome.failed and not outcome.unknown
    raise typer.Exit(ExitStatus.DONE if whole else ExitStatus.FOUND)


@asynccontextmanager
async def _dead_letters(account: StorageAccount) -> AsyncIterator[DeadLetters]:
    try:
        poison_queue = MessageQueue(account, POISON_QUEUE)
        set_aside = SetAsideActivities(BlobContainer(account, CONTAINER), poison_queue)
        yield DeadLetters(set_aside, MessageQueue(account, QUEUE), poison_queue)
    finally:
        await account.close()


async def _list(account: StorageAccount) -> list[DeadLetter]:
    async with _dead_letters(account) as dead_letters:
        found = [each async for each in dead_letters.all()]
        for each in found:
            await dead_letters.release(each)
        return found


async def _act(account: StorageAccount, action: Action, ids: list[str]) -> Outcome:
    """Replay or drop the dead letters whose ids begin with one of `ids`; none: all of them."""
    outcome = Outcome(unknown=list(dict.fromkeys(ids)))
    async with _dead_letters(account) as dead_letters:
        # All are taken before one is put back: the queue would hand that one out again.
        for each in [each async for each in dead_letters.all()]:
            named = [given for given in ids if each.message.id.startswith(given)]
            outcome.unknown = [given for given in outcome.unknown if given not in named]
            if ids and not named:
                await dead_letters.release(each)
                continue
            try:
                await action(dead_letters, each)
                outcome.done.append(each)
            except NothingToRequeue as error:
                await dead_letters.release(each)
                outcome.failed[each.message.id] = str(error)
    return outcome
