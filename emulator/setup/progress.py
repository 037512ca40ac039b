"""Progress: how far the set-up is, on the terminal."""

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from emulator.setup.step import SetUpStep

BAR_WIDTH = 24
TICK_SECONDS = 0.2


class Progress:
    """One live line on a terminal; elsewhere, such as in a log, a line for each step.

    Args:
        steps: what is to be done.
        stream: takes the lines.
    """

    def __init__(self, steps: Sequence[SetUpStep], stream: TextIO = sys.stdout) -> None:
        self._steps = steps
        self._stream = stream
        self._is_live = stream.isatty()
        self._whole = sum(step.weight for step in steps)
        self._done = 0.0
        self._share = 0.0
        self._number = 0
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)
        self._width = 0

    def __enter__(self) -> Self:
        if self._is_live:
            self._ticking.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._is_live:
            self._ticking.join()
            self._write("")

    def start(self, step: SetUpStep) -> None:
        """A step starts, and the one before has ended."""
        if self._number:
            self._done += self._steps[self._number - 1].weight
        self._share = 0.0
        self._number += 1
        if not self._is_live:
            print(f"Set-up {self._number}/{len(self._steps)}: {step.title}", file=self._stream)
            self._stream.flush()

    def report(self, share: float) -> None:
        """So much of the current step is done, from 0 to 1."""
        self._share = share

    def line(self) -> str:
        """The live line: a bar, the current step and the seconds since the start."""
        step = self._steps[max(0, self._number - 1)]
        share = (self._done + self._share * step.weight) / self._whole
        filled = round(share * BAR_WIDTH)
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        seconds = time.monotonic() - self._started
        return f"Set-up [{bar}] {self._number}/{len(self._steps)} {step.title}, {seconds:.0f} s"

    def _tick(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            self._write(self.line())

    def _write(self, line: str) -> None:
        # Spaces in place of escape sequences, which an old console would show.
        self._stream.write(f"\r{line:{self._width}}" if line else f"\r{' ' * self._width}\r")
        self._stream.flush()
        self._width = len(line)
