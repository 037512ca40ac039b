"""`bot notify`: puts a notification into the bot's queue, and shows its report."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from bot_workbench.admin import console
from bot_workbench.admin.console import JsonOption
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app.notification_output import NotificationOutput, notification_output
from bot_workbench.app.report_follower import ReportFollower
from bot_workbench.app.storage_options import (
    AccountOption,
    ConnectionStringOption,
    storage_account,
)
from cloud_adapter.activities import CHANNELS
from cloud_adapter.errors import BadNotification
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from cloud_adapter.proactive.references import ConversationReferences, channel_of
from cloud_adapter.proactive.run import CONTAINER, REPEATED, SENT
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MAX_MESSAGE_BYTES, MessageQueue

To = Annotated[
    list[str],
    typer.Option(
        "--to",
        metavar="WHOM",
        help="\"all\", or a conversation's id; in Teams also a user's id or Entra object id. Repeat"
        " the option for several recipients.",
    ),
]
Channel = Annotated[
    str | None,
    typer.Option(
        "--channel",
        metavar="CHANNEL",
        help="With --to all: only the conversations of one channel, for example msteams.",
    ),
]
Text = Annotated[str, typer.Option("--text", metavar="MARKDOWN", help="What to send.")]
Card = Annotated[
    Path | None, typer.Option("--card", metavar="FILE", help="An adaptive card's JSON.")
]
Id = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="TEXT",
        help="Names the report; by default a new GUID. A notification with the same id is sent"
        " once: give it again to see its report.",
    ),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", metavar="", help="Exit without waiting for the report.")
]


def notify(
    to: To,
    channel: Channel = None,
    text: Text = "",
    card: Card = None,
    notification_id: Id = None,
    *,
    no_wait: NoWait = False,
    as_json: JsonOption = False,
    account: AccountOption = None,
    connection_string: ConnectionStringOption = None,
) -> None:
    """Send a proactive notification to many conversations.

    The command puts the notification into the bot's queue, and shows the
    report while the running bot sends it. Ctrl-C ends the command only.

    [bold]Examples[/bold]

      bot notify --to all --text "The canteen opens at noon."
      bot notify --to all --channel msteams --text "Hi, Teams."
      bot notify --account mybot --card card.json \\
          --to 00000000-0000-0000-0000-000000000000

    [bold]Exit status[/bold]

      0  every recipient got it; with --no-wait: it is in the queue
      1  some did not, or may not have: the report says which, and why
      2  the command line is wrong; nothing was sent
      3  the storage account cannot be reached

    [bold]--json[/bold] prints JSON lines, each as soon as it is known:

      {"notification": ID, "recipients": COUNT,
       "channels": {CHANNEL: COUNT}}
      {"recipient": ID, "conversation": BLOB,
       "result": RESULT, "reason": TEXT}
      {"summary": {RESULT: COUNT}, "channels": {CHANNEL: COUNT}}

    RESULT is sent, repeated, uncertain, unknown or failed. The last line
    is the summary, or {"error": TEXT} when the bot refuses it.
    """
    notification = _notification(to, channel, text, card, notification_id)
    storage = storage_account(account, connection_string)
    output = notification_output(as_json=as_json)
    everybody = asyncio.run(_run(notification, storage, output, wait=not no_wait))
    raise typer.Exit(ExitStatus.DONE if everybody else ExitStatus.FOUND)


def _notification(
    to: list[str], channel: str | None, text: str, card: Path | None, notification_id: str | None
) -> Notification:
    """The notification that the options describe, checked as the bot will.

    Raises:
        typer.BadParameter: it cannot be sent.
    """
    if channel is not None and channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise typer.BadParameter(f"unknown channel {channel!r}: use one of {known}")
    given = Notification(
        notification_id or str(uuid4()), tuple(to), channel or "", text, _card(card)
    )
    try:
        notification = Notification.parse(given.message, given.id)
    except BadNotification as error:
        raise typer.BadParameter(f"the notification cannot be sent: {error}") from error
    if len(notification.message.encode()) > MAX_MESSAGE_BYTES:
        raise typer.BadParameter(
            f"the notification has more than {MAX_MESSAGE_BYTES} bytes: shorten it, or send it to"
            " fewer recipients at a time"
        )
    return notification


def _card(file: Path | None) -> Any:
    if file is None:
        return None
    try:
        return json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"the card cannot be read: {error}") from error
    except ValueError as error:
        raise typer.BadParameter(f"the card in {file} is not JSON: {error}") from error


async def _run(
    notification: Notification,
    account: StorageAccount,
    output: NotificationOutput,
    *,
    wait: bool,
) -> bool:
    """Enqueue the notification, and follow its report; returns whether every recipient got it.

    Raises:
        StorageUnavailable: the account does not answer, or refuses; or no user is signed in to the
            Azure CLI.
    """
    try:
        channels = await _stored_conversations(notification, account)
        await MessageQueue(account, QUEUE).put(notification.message)
        output.enqueued(notification, channels)
        return not wait or await _follow(notification, account, output)
    finally:
        await account.close()


async def _stored_conversations(
    notification: Notification, account: StorageAccount
) -> Counter[str]:
    """The number of conversations that "all" means at this moment, by channel."""
    if not notification.to_all:
        return Counter()
    references = ConversationReferences(BlobContainer(account, REFERENCES))
    names = references.names(notification.channel)
    return Counter([channel_of(name) async for name in names])


async def _follow(
    notification: Notification, account: StorageAccount, output: NotificationOutput
) -> bool:
    reports = BlobContainer(account, CONTAINER)
    last: dict[str, Any] = {}
    with output:
        try:
            async for last in ReportFollower(reports, notification.id, _no_report_yet).lines():
                output.line(last)
        except asyncio.CancelledError:  # Ctrl-C
            console.errors.print(
                "The bot is still sending. To see the rest of the report, run the command again"
                f" with --id {notification.id}",
                soft_wrap=True,
            )
            raise
    return set(last.get("summary", {"error": 1})) <= {SENT, REPEATED}


def _no_report_yet() -> None:
    console.errors.print("No report yet. Is the bot running, with this storage account?")
