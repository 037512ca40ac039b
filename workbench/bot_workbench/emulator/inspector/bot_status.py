"""BotStatus: whether the bot answers, as its Functions host reports it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

UNKNOWN, STARTING, LOADING = "unknown", "starting", "loading"
READY, BROKEN, STOPPED = "ready", "broken", "stopped"
STATES = (UNKNOWN, STARTING, LOADING, READY, BROKEN, STOPPED)

MAX_MS = 1e12
"""No reload takes longer."""


def block_hint(place: str) -> str:
    """The hint of a turn that a blocked event loop has delayed, or ended; empty for no place."""
    return f"The event loop was blocked by {place}" if place else ""


class BotStatus:
    """The newest report.

    Attributes:
        state: one of STATES; `unknown` until somebody reports. `broken`: the newest code does not
            load, and the code before it answers, if there is any.
        text: why it is so, in one line.
        generation: counts the code's versions that were loaded.
        ms: how long the last reload took; None: there was none.
        files: that changed before the last reload, relative to the app's folder.
        answers: whether a delivery reaches code of the bot.
        blocked: by process id, what blocks the event loop of a worker that does not answer now.
    """

    def __init__(self) -> None:
        self.state = UNKNOWN
        self.text = ""
        self.generation = 0
        self.ms: float | None = None
        self.files: list[str] = []
        self.answers = False
        self.blocked: dict[int, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._ready = asyncio.Event()
        self._started = asyncio.Event()
        self._started.set()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called after each report."""
        self._listeners.append(listener)

    async def ready(self) -> None:
        """Wait until the bot answers."""
        await self._ready.wait()

    async def started(self) -> None:
        """Wait while the bot is starting, or stopped: until it answers, or is broken."""
        await self._started.wait()

    def set(self, state: str, text: str = "") -> None:
        """Report a state."""
        self.report({"state": state, "text": text})

    def report(self, event: Mapping[str, Any]) -> None:
        """Take a status event of the feed; one that says no known state is ignored."""
        if event.get("state") not in STATES:
            return
        self.state = str(event["state"])
        self.text = str(event.get("text") or "")
        generation, ms, files = event.get("generation"), event.get("ms"), event.get("files")
        if isinstance(generation, int):
            self.generation = generation
        if isinstance(ms, int | float) and 0 <= ms < MAX_MS:
            self.ms = float(ms)
        self.files = [str(each) for each in files] if isinstance(files, list) else []
        self._set_answers()
        if self.state == READY:
            self.blocked.clear()  # the worker that was blocked has been replaced
        self._changed()

    def set_blocked(self, pid: int, place: str) -> None:
        """Report what blocks the event loop of a process; empty: nothing does any more."""
        if self.blocked.get(pid, "") == place:
            return
        self.blocked.pop(pid, None)
        if place:
            self.blocked[pid] = place
        self._changed()

    @property
    def blocking_place(self) -> str:
        """The place that blocks an event loop now; empty: none does."""
        return next(iter(self.blocked.values()), "")

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _set_answers(self) -> None:
        if self.state == READY:
            self.answers = True
        elif self.state in (UNKNOWN, STARTING, STOPPED):
            self.answers = False
        # While code is loading, or is broken, the code before it answers, if there is any.
        if self.answers:
            self._ready.set()
        else:
            self._ready.clear()
        if self.answers or self.state in (UNKNOWN, BROKEN):
            self._started.set()
        else:
            self._started.clear()

    def as_json(self) -> dict[str, Any]:
        """The report, for pages."""
        return {
            "state": self.state,
            "text": self.text,
            "generation": self.generation,
            "ms": self.ms,
            "files": self.files,
            "answers": self.answers,
            "blocked": self.blocking_place,
        }
