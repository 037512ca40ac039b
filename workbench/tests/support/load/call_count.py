"""Counts function calls: a measure of work that does not depend on the machine's speed."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def calls_counted() -> Iterator[Counter[str]]:
    """Count this thread's calls of Python functions in the block, by `module:function`."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls[f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}"] += 1

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@contextmanager
def steps_counted() -> Iterator[Counter[str]]:
    """Count this thread's calls of Python and C functions in the block, by qualified name."""
    steps: Counter[str] = Counter()

    def note(frame: FrameType, event: str, called: object) -> None:
        if event == "call":
            steps[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            steps[getattr(called, "__qualname__", "")] += 1

    sys.setprofile(note)
    try:
        yield steps
    finally:
        sys.setprofile(None)
