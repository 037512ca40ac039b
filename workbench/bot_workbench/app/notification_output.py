"""NotificationOutput: what `notify` prints, for a terminal, for a text file or for a pipeline."""

from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot_workbench.admin import console
from bot_workbench.admin.console import shown, styled
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.proactive.run import SENT


class NotificationOutput(Protocol):
    """Prints what happens to one notification. Used as a context while the report grows."""

    def enqueued(self, notification: Notification, channels: Counter[str]) -> None:
        """The notification is in the queue.

        Args:
            notification: the notification.
            channels: with `all`, how many conversations it goes to, by channel.
        """

    def line(self, line: Mapping[str, Any]) -> None:
        """The report has a new line."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class JsonLines:
    """One JSON object a line: the notification, then the report's lines as they are stored."""

    def enqueued(self, notification: Notification, channels: Counter[str]) -> None:
        """{"notification": ID, "recipients": COUNT, "channels": {CHANNEL: COUNT}}."""
        first = {
            "notification": notification.id,
            "recipients": _recipients(notification, channels),
            "channels": dict(sorted(channels.items())),
        }
        console.write_json(first, flush=True)

    def line(self, line: Mapping[str, Any]) -> None:
        """As stored."""
        console.write_json(line, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class PlainLines:
    """One line of text for each recipient, as soon as the report has it."""

    def enqueued(self, notification: Notification, channels: Counter[str]) -> None:
        """Which conversations, and the id."""
        if notification.to_all:
            console.write(shown(_addressed(channels)), flush=True)
        queued = f"Notification {notification.id} is in the queue {QUEUE}."
        console.write(queued, flush=True)

    def line(self, line: Mapping[str, Any]) -> None:
        """In columns."""
        console.write(shown(_text(line)), flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class ProgressDisplay:
    """A progress bar, above it a line for each recipient that needs a look, then the counts."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("Sending"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console.output,
        )
        self._task = self._progress.add_task("Sending")

    def enqueued(self, notification: Notification, channels: Counter[str]) -> None:
        """Which conversations, and the id."""
        if notification.to_all:
            console.output.print(styled(_addressed(channels)))
        console.output.print(f"Notification {notification.id} is in the queue {QUEUE}.")
        self._progress.update(self._task, total=_recipients(notification, channels))

    def line(self, line: Mapping[str, Any]) -> None:
        """The bar moves; everything but `sent` is shown."""
        if "summary" in line:
            self._progress.stop()
            console.output.print(_summary(line))
        elif "error" in line:
            self._progress.console.print(styled(_text(line)))
        else:
            self._progress.advance(self._task)
            if line["result"] != SENT:
                self._progress.console.print(styled(_text(line)))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def notification_output(*, as_json: bool) -> NotificationOutput:
    """The one that suits the command line and where its output goes."""
    if as_json:
        return JsonLines()
    return ProgressDisplay() if console.output.is_terminal else PlainLines()


def _recipients(notification: Notification, channels: Counter[str]) -> int:
    return channels.total() if notification.to_all else len(notification.to)


def _addressed(channels: Counter[str]) -> str:
    what = "conversation" if channels.total() == 1 else "conversations"
    counts = f" ({_counts(channels)})" if channels else ""
    return f"It goes to {channels.total()} {what}{counts}."


def _text(line: Mapping[str, Any]) -> str:
    if "error" in line:
        return f"The bot refuses the notification: {line['error']}"
    if "summary" in line:
        results = ", ".join(f"{count} {result}" for result, count in line["summary"].items())
        channels = f" ({_counts(line['channels'])})" if line.get("channels") else ""
        return f"Done: {results or 'no conversation is stored'}{channels}"
    return f"{line['result']:9} {line['recipient']}  {line['reason']}".rstrip()


def _summary(line: Mapping[str, Any]) -> Table:
    table = Table("Result", box=SIMPLE_HEAD)
    table.add_column("Recipients", justify="right")
    table.add_column("By channel")
    for result, count in line["summary"].items():
        channels = _counts(line.get("channels", {})) if result == SENT else ""
        table.add_row(styled(result), str(count), styled(channels))
    return table


def _counts(channels: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(channels.items()))
