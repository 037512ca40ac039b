"""HostTimeout: how long the host lets a function run, and how much of it a turn may take."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

SETTING = "AzureFunctionsJobHost__functionTimeout"
"""The app setting that overrides host.json's functionTimeout. Its name is read in any case.
(Microsoft's reference of host.json, "Override host.json values")"""

DEFAULT_SECONDS = 30 * 60.0
"""The host's functionTimeout on Flex Consumption, if neither names one. (the same reference)"""

UNREADABLE_SECONDS = 5 * 60.0
"""Taken for a value that cannot be read, with which the host does not start."""

UNLIMITED = "-1"

MAX_RESERVE_SECONDS = 60.0

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d+)(?::(\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class HostTimeout:
    """How long the host lets a function run. Then it ends the worker, with all that runs there.

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
        texts = [text for name, text in environ.items() if name.lower() == SETTING.lower()]
        text = texts[0] if texts else _in_host_json(app_folder / "host.json")
        return cls(DEFAULT_SECONDS if text is None else _seconds(str(text).strip()))

    @property
    def _reserve_seconds(self) -> float:
        """A minute, or less if the timeout is short."""
        return min(MAX_RESERVE_SECONDS, (self.seconds or DEFAULT_SECONDS) / 4)

    @property
    def drain_seconds(self) -> float:
        """How long a function may start turns, one after the other."""
        return self._reserve_seconds

    @property
    def turn_seconds(self) -> float | None:
        """How long a turn may take; None: any time."""
        return None if self.seconds is None else self.seconds - 2 * self._reserve_seconds

    @property
    def proactive_seconds(self) -> float | None:
        """How long the turn of a proactive message may take; None: any time.

        A run of notifications starts them for longer than a drain starts turns.
        """
        return None if self.seconds is None else self._reserve_seconds

    @property
    def handler_seconds(self) -> float | None:
        """How long a bot's handler may take for the error of a turn; None: any time."""
        return None if self.seconds is None else self._reserve_seconds / 2

    @property
    def apology_seconds(self) -> float | None:
        """How long the apology may take that follows; None: any time."""
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
