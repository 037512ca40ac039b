"""CodeFault: why an app cannot run, in one line that names the place in the user's files."""

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from emulator.functions.reload.code_folders import CodeFolders

FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
ERROR = re.compile(r"^(?P<error>[A-Za-z_][\w.]*(?:: .*)?)$", re.MULTILINE)
MAX_LENGTH = 300

WORKERS_ADVICE = ". Cannot find module. Please check"
"""What the worker's library appends to the message of an ImportError."""


def fault_of(error: BaseException, folders: CodeFolders) -> str:
    """An exception as `FILE:LINE ERROR: MESSAGE`."""
    found = _frames_of(error)
    return _line(found, traceback.format_exception_only(error)[-1], folders)


def fault_in(trace: str, folders: CodeFolders) -> str:
    """The same of an exception whose traceback is text."""
    frames = [(Path(each["file"]), int(each["line"])) for each in FRAME.finditer(trace)]
    end = list(FRAME.finditer(trace))[-1].end() if frames else 0
    errors = ERROR.findall(trace, end) or trace.strip().splitlines()[:1]
    return _line(frames, errors[-1] if errors else "unknown error", folders)


def _frames_of(error: BaseException) -> list[tuple[Path, int]]:
    frames = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((Path(error.filename), error.lineno or 0))
    return frames


def _line(frames: Sequence[tuple[Path, int]], error: str, folders: CodeFolders) -> str:
    text = " ".join(error.partition(WORKERS_ADVICE)[0].split())[:MAX_LENGTH]
    # The bot's own line, if there is one, rather than that of the project's code that it calls.
    ranked = [each for each in frames if folders.is_bot(each[0])]
    ranked = ranked or [each for each in frames if folders.has(each[0])]
    if not ranked:
        return text
    file, line = ranked[-1]
    return f"{folders.shown(file)}:{line} {text}"
