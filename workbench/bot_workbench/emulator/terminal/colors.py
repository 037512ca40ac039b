"""Whether a terminal shows colors."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

if sys.platform == "win32":
    import ctypes
    import msvcrt

ESCAPE_SEQUENCES = 4
"""ENABLE_VIRTUAL_TERMINAL_PROCESSING, a mode of Windows' consoles that is off at first."""


def has_colors(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether lines may have colors: on a terminal that has some, unless NO_COLOR is set.

    On Windows it switches them on.

    Source: no-color.org.
    """
    if not stream.isatty() or environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return _takes_escape_sequences(stream)


def _takes_escape_sequences(stream: TextIO) -> bool:
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        console, mode = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno())), ctypes.c_ulong()
        if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
            return False  # it is NUL
        return bool(kernel.SetConsoleMode(console, mode.value | ESCAPE_SEQUENCES))
    return True
