"""The time limits of a turn: those of the channel, of the host, and of the bot's code.

Microsoft Learn, "Manage a long-running operation" (Azure AI Bot Service): if the bot has not
answered within 10 to 15 seconds, depending on the channel, the service answers in its place, with
504. So an answer that comes later reaches nobody.

The bot's code may exit, be cancelled or run for ever: then its turn fails, and nothing else.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cloud_adapter.errors import (
    BotCancelled,
    BotExited,
    BotTimedOut,
    StartTimedOut,
    StorageUnavailable,
)

CHANNEL_SECONDS = 10.0
"""The time for which every channel waits for an answer; some wait for 15 seconds."""

START_SECONDS = CHANNEL_SECONDS - 2
"""The time after its arrival for which a request waits for the bot's code, or to be stored."""

FIRST_STATE_SECONDS = CHANNEL_SECONDS - 1
"""The time after its arrival for which a turn waits for its first state, lock and lease included.
"""

MIN_FIRST_STATE_SECONDS = 3.0
"""The shortest time for which a turn waits for its first state, if it asks for it late."""


class StartLimit:
    """A context manager that limits what a request waits for before the bot's code runs.

    It cancels the block: what must not be cut off needs a task of its own.

    Args:
        arrived_at: when the request arrived, in event loop time (seconds); None: no channel waits,
            so there is no limit.
        waits_for: what the block waits for, for the log; the block may change it.

    Attributes:
        arrived_at, waits_for: as in the arguments.
        expired: whether the block took too long.

    Raises:
        StartTimedOut: the block took too long, and was cancelled.
    """

    def __init__(self, arrived_at: float | None, waits_for: str) -> None:
        self.arrived_at = arrived_at
        self.waits_for = waits_for
        self.expired = False
        self._timer: asyncio.Handle | None = None

    def lift(self) -> None:
        """End the limit: the bot's code, which follows in the block, may take longer."""
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if self.arrived_at is not None and task is not None:
            self._task, self._cancelling = task, task.cancelling()
            # asyncio.timeout would set a timer here, which costs a turn 2 %; most wait for nothing.
            self._timer = asyncio.get_running_loop().call_soon(self._set_timer)
        return self

    def _set_timer(self) -> None:
        end = (self.arrived_at or 0.0) + START_SECONDS
        self._timer = asyncio.get_running_loop().call_at(end, self._expire)

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        self.lift()
        # As asyncio.timeout does: another cancellation of the task goes first.
        is_cause = self.expired and self._task.uncancel() <= self._cancelling
        if is_cause and isinstance(error, asyncio.CancelledError):
            raise StartTimedOut(
                f"{self.waits_for} took too long: the request has waited for {START_SECONDS:.0f} s,"
                f" and some channels wait only {CHANNEL_SECONDS:.0f} s for its answer"
            ) from None


def arrival(context: object) -> float | None:
    """When the request that waits for a turn arrived, in event loop time (seconds).

    None if no request waits, or if the bot has made the context, of the SDK's own class.

    Args:
        context: the turn's TurnContext.
    """
    return getattr(context, "arrived_at", None)


def seconds_for_first_state(arrived_at: float | None) -> float:
    """The seconds for which a turn that asks for its first state now waits for it.

    Args:
        arrived_at: when the turn's request arrived, in event loop time (seconds); None: no request
            waits for the turn, so it has as long as one that arrives now.
    """
    now = asyncio.get_running_loop().time()
    if arrived_at is None:
        return FIRST_STATE_SECONDS
    return max(arrived_at + FIRST_STATE_SECONDS - now, MIN_FIRST_STATE_SECONDS)


async def storage_in_time[Result](work: Awaitable[Result], deadline: float | None) -> Result:
    """Wait for storage until a deadline (event loop time, seconds); None: no limit.

    Raises:
        StorageUnavailable: it took longer, and was cancelled.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise StorageUnavailable(
            "the storage account is too slow: this turn's state was not there in time"
        ) from None


HOST_TIMEOUT_SETTING = "AzureFunctionsJobHost__functionTimeout"
"""The app setting that overrides host.json's functionTimeout. Its name is read in any case.
(Microsoft's reference of host.json, "Override host.json values")"""

DEFAULT_HOST_SECONDS = 30 * 60.0
"""The host's functionTimeout on Flex Consumption, if neither names one. (the same reference)"""

UNREADABLE_SECONDS = 5 * 60.0
"""Taken for a value that cannot be read, with which the host does not start."""

UNLIMITED = "-1"
"""The value that means that there is no limit. (the same reference)"""

MAX_RESERVE_SECONDS = 60.0
"""The most of the timeout that is kept for what comes before or after a turn."""

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d+)(?::(\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class HostTimeout:
    """The time limit of a function. After it, the host ends the worker, with all that runs there.

    A queue's function starts turns for a minute (`drain_seconds`), the turn that it starts last
    takes what remains, and a second minute is left to what comes after: error handlers, storage.

    Attributes:
        seconds: functionTimeout; None: there is no limit.
    """

    seconds: float | None

    @classmethod
    def read(cls, app_folder: Path, environ: Mapping[str, str]) -> Self:
        """The timeout that the host has read from the app's settings or from host.json.

        Args:
            app_folder: has host.json.
            environ: the app's settings.
        """
        texts = [
            text for name, text in environ.items() if name.lower() == HOST_TIMEOUT_SETTING.lower()
        ]
        text = texts[0] if texts else _in_host_json(app_folder / "host.json")
        return cls(DEFAULT_HOST_SECONDS if text is None else _seconds(str(text).strip()))

    @property
    def _reserve_seconds(self) -> float:
        """A minute, or less if the timeout is short."""
        return min(MAX_RESERVE_SECONDS, (self.seconds or DEFAULT_HOST_SECONDS) / 4)

    @property
    def drain_seconds(self) -> float:
        """The time in which a function may start turns, one after the other."""
        return self._reserve_seconds

    @property
    def turn_seconds(self) -> float | None:
        """The time limit of a turn; None: any time."""
        return None if self.seconds is None else self.seconds - 2 * self._reserve_seconds

    @property
    def proactive_seconds(self) -> float | None:
        """The time limit of a proactive message's turn; None: any time.

        A run of notifications starts them for longer than a drain starts turns.
        """
        return None if self.seconds is None else self._reserve_seconds

    @property
    def handler_seconds(self) -> float | None:
        """The time limit of a bot's handler for the error of a turn; None: any time."""
        return None if self.seconds is None else self._reserve_seconds / 2

    @property
    def apology_seconds(self) -> float | None:
        """The time limit of the apology that follows; None: any time."""
        return None if self.seconds is None else self._reserve_seconds / 4


def _in_host_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8-sig")).get("functionTimeout")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError):
        return ""


def _seconds(text: str) -> float | None:
    """The seconds of a TimeSpan of .NET, such as `00:10:00` or `1.00:00:00`."""
    if text == UNLIMITED:
        return None
    if (found := _TIME_SPAN.fullmatch(text)) is None:
        return UNREADABLE_SECONDS
    days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds or UNREADABLE_SECONDS


@contextlib.contextmanager
def exits_are_failures() -> Iterator[None]:
    """The block calls the bot's code: a `sys.exit` there fails the block, and nothing else.

    A SystemExit that leaves a task ends the event loop, even if another task catches it. And if a
    CancelledError leaves a function that nobody cancels, the worker never answers its host.

    Raises:
        BotExited: the bot's code, or a thread that it waits for, called `sys.exit`.
        BotCancelled: the bot's code has cancelled a task, and waited for it.
    """
    try:
        yield
    except SystemExit as error:
        raise BotExited(error.code) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BotCancelled from error


@contextlib.asynccontextmanager
async def limited_bot_code(seconds: float | None) -> AsyncIterator[None]:
    """As `exits_are_failures`; the block is also cancelled if it takes too long.

    A bot that catches the cancellation, and goes on, is left to it.

    Args:
        seconds: that the block may take; None: any time.

    Raises:
        BotExited, BotCancelled: see `exits_are_failures`.
        BotTimedOut: the block has been cancelled.
    """
    try:
        with exits_are_failures():
            async with asyncio.timeout(seconds) as limit:
                yield
    except TimeoutError as error:
        # The bot's own TimeoutError remains what it is.
        if limit.expired() and isinstance(error.__cause__, asyncio.CancelledError):
            raise BotTimedOut(seconds) from error
        raise
