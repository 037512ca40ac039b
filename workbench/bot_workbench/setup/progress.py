"""Progress: how far the set-up is, on the terminal."""

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from bot_workbench.setup.step import SetUpStep

BAR_WIDTH = 24


class Progress:
    """One live line on a terminal; elsewhere, such as in a log, a line as each step ends.

    Args:
        steps: those that run.
        stream: takes the lines.
    """

    def __init__(self, steps: Sequence[SetUpStep], stream: TextIO = sys.stdout) -> None:
        self._steps = steps
        self._stream = stream
        self._is_live = stream.isatty()
        self._shares = [0.0 for _ in steps]
        self._ended: list[SetUpStep] = []
        self._started = time.monotonic()
        self._width = 0

    def report(self, number: int, share: float) -> None:
        """So much of the step of this index is done, from 0 to 1. Any thread may say so."""
        self._shares[number] = share

    def end(self, step: SetUpStep, *, failed: bool = False) -> None:
        """A step has ended; what says why it failed, says so later."""
        self._ended.append(step)
        self._shares[self._steps.index(step)] = 1.0
        if not self._is_live and not failed:
            line = f"Set-up {len(self._ended)}/{len(self._steps)}: {step.title}"
            print(line, file=self._stream, flush=True)

    def show(self) -> None:
        """Write the live line again, where there is one."""
        if self._is_live:
            self._write(self.line()[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Remove the live line."""
        if self._is_live:
            self._write("")

    def line(self) -> str:
        """A bar, the seconds since the start, and the steps that run."""
        whole = sum(step.weight for step in self._steps)
        done = sum(
            step.weight * share for step, share in zip(self._steps, self._shares, strict=True)
        )
        filled = round(done / whole * BAR_WIDTH)
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        seconds = time.monotonic() - self._started
        running = ", ".join(step.title for step in self._steps if step not in self._ended)
        return f"Set-up [{bar}] {seconds:.0f} s: {running}"

    def _write(self, line: str) -> None:
        # Spaces in place of escape sequences, which an old console would show.
        self._stream.write(f"\r{line:{self._width}}" if line else f"\r{' ' * self._width}\r")
        self._stream.flush()
        self._width = len(line)
