"""`python -m admin.notify`: have the running bot tell something to many conversations.

Puts a notification into the bot's queue, and shows its report as it grows.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from admin.storage_options import add_storage_options, storage_account
from auth.errors import BotError
from cloud_adapter.codec.channels import CHANNELS
from cloud_adapter.errors import BadNotification
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from cloud_adapter.proactive.references import ConversationReferences, channel_of
from cloud_adapter.proactive.report import CONTAINER, REPEATED, SENT, lines_of, report_name
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import LARGEST_MESSAGE, MessageQueue

LOOK_EVERY = 0.5
"""Seconds between two looks at the report."""

LINES_AT_EASE = 2000
"""A longer report, which is read whole, is looked at less often."""

LOOKS_IN_SILENCE = 20
"""After which the reader is asked whether the bot runs."""

_EXAMPLES = """examples:
  python -m admin.notify --to all --text "The canteen opens at noon."
  python -m admin.notify --to all --channel msteams --text "For Teams only."
  python -m admin.notify --account mybot --to 00000000-0000-0000-0000-000000000000 \\
      --card card.json
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m admin.notify",
        description="Have the running bot tell something to many conversations.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--to",
        action="append",
        required=True,
        metavar="WHOM",
        help="\"all\", or a conversation's id; in Teams also a user's id or Entra object id. Can be"
        " given several times",
    )
    parser.add_argument(
        "--channel",
        choices=sorted(CHANNELS),
        metavar="CHANNEL",
        help="with --to all: only the conversations of this channel, such as msteams",
    )
    parser.add_argument("--text", default="", help="Markdown")
    parser.add_argument("--card", type=Path, metavar="FILE", help="an adaptive card's JSON")
    parser.add_argument("--id", help="names the report; the same one is not sent twice")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the report")
    add_storage_options(parser)
    return parser


def _notification(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Notification:
    try:
        card = json.loads(options.card.read_text("utf-8")) if options.card else None
        to, channel = tuple(options.to), options.channel or ""
        given = Notification(options.id or str(uuid4()), to, channel, options.text, card)
        notification = Notification.parse(given.message, given.id)
    except (OSError, ValueError) as error:
        what = error if isinstance(error, BadNotification | OSError) else "it is not JSON"
        parser.error(f"the notification cannot be sent: {what}")
    if len(notification.message.encode()) > LARGEST_MESSAGE:
        parser.error(f"the notification has more than {LARGEST_MESSAGE} bytes: send several")
    return notification


async def lines(reports: BlobContainer, notification_id: str) -> AsyncIterator[dict[str, Any]]:
    """The lines of a report as it grows, to its last one."""
    shown = silent = 0
    while True:
        blob = await reports.read(report_name(notification_id))
        found = lines_of(blob.content if blob else b"")
        for line in found[shown:]:
            yield line
            if "summary" in line or "error" in line:
                return
        shown = len(found)
        silent += 1
        if silent == LOOKS_IN_SILENCE and not shown:
            print("No report yet. Does the bot run, with this storage account?", file=sys.stderr)
        await asyncio.sleep(LOOK_EVERY * (1 + shown / LINES_AT_EASE))


def _told(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"The bot says that it is no notification: {line['error']}"
    if "summary" in line:
        counts = [f"{count} {result}" for result, count in line["summary"].items()]
        reached = f" ({_counted(line['channels'])})" if line.get("channels") else ""
        return f"Done: {', '.join(counts) or 'no conversation is kept'}{reached}"
    return f"{line['result']:9} {line['recipient']}  {line['reason']}".rstrip()


def _counted(channels: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(channels.items()))


async def _addressed(notification: Notification, account: StorageAccount) -> str:
    """How many conversations "all" means at this moment, by channel."""
    references = ConversationReferences(BlobContainer(account, REFERENCES))
    names = references.names(notification.channel)
    channels = Counter([channel_of(name) async for name in names])
    what = "conversation" if channels.total() == 1 else "conversations"
    found = f" ({_counted(channels)})" if channels else ""
    return f"It goes to {channels.total()} {what}{found}."


async def _show(reports: BlobContainer, notification_id: str) -> bool:
    """Print the report; returns whether everybody got the notification."""
    last: dict[str, Any] = {}
    async for last in lines(reports, notification_id):
        print(_told(last), flush=True)
    return "error" not in last and set(last.get("summary", {})) <= {SENT, REPEATED}


async def run(notification: Notification, account: StorageAccount, *, wait: bool) -> bool:
    """Send, and wait for the report's end; returns whether all went well.

    Raises:
        StorageUnavailable: the account does not answer, or refuses.
        SignInError: nobody is signed in at it.
    """
    try:
        if notification.to_all:
            print(await _addressed(notification, account), flush=True)
        await MessageQueue(account, QUEUE).put(notification.message)
        print(f"Notification {notification.id} waits in {QUEUE}.", flush=True)
        return not wait or await _show(BlobContainer(account, CONTAINER), notification.id)
    finally:
        await account.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, send, and exit: 0 when everybody got it."""
    parser = _parser()
    options = parser.parse_args(arguments)
    notification = _notification(options, parser)
    account = storage_account(options)
    try:
        well = asyncio.run(run(notification, account, wait=not options.no_wait))
    except BotError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("The bot goes on sending.")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
