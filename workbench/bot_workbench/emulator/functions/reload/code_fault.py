"""Why an app cannot run, in one line that names the place in the user's files."""

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from bot_workbench.emulator.functions.reload.code_folders import CodeFolders
from bot_workbench.public_names import cure_of_missing

FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
MISSING = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[\w.]+)'")
IMPORT = re.compile(r"^ +(?:from|import) +(?P<name>[\w.]+)", re.MULTILINE)
ERROR = re.compile(r"^[A-Za-z_][\w.]*(: |$)", re.MULTILINE)
MAX_LENGTH = 300

MARGIN = re.compile(r"^ *[|+]( |-[-+ \d]*$)", re.MULTILINE)
"""The characters before the lines of an exception group."""

WORKERS_ADVICE = ". Cannot find module. Please check"
"""The text that the worker's library appends to the message of an ImportError."""


def fault_of(error: BaseException, folders: CodeFolders) -> str:
    """An exception as `FILE:LINE ERROR: MESSAGE`."""
    return fault_in("".join(traceback.format_exception(error)), folders)


def fault_in(trace: str, folders: CodeFolders) -> str:
    """The same of an exception whose traceback is text."""
    trace = MARGIN.sub("", trace)
    frames = list(FRAME.finditer(trace))
    error = ERROR.search(trace, frames[-1].end() if frames else 0)
    text = trace[error.start() :] if error else trace.strip().partition("\n")[0]
    is_bots = any(folders.is_bot(Path(each["file"])) for each in frames)
    if is_bots and (missing := MISSING.match(text)):
        imported = IMPORT.search(trace, frames[-1].end())
        # The name up to the first part that is missing, unless the line imports more of it.
        name = missing["name"]
        if imported and f"{imported['name']}.".startswith(f"{name}."):
            name = imported["name"]
        if not folders.has_module(name):
            cure = cure_of_missing(name, folders.shown(folders.requirements))
            text = f"{missing[0]}: {cure}{text[missing.end() :]}"
    places = [(Path(each["file"]), int(each["line"])) for each in frames]
    # Compiled libraries name their files as uvloop/loop.pyx, from a folder that is not this one.
    places = [each for each in places if each[0].is_absolute()]
    return _line(places, text or "unknown error", folders)


def _line(frames: Sequence[tuple[Path, int]], error: str, folders: CodeFolders) -> str:
    text = " ".join(error.partition(WORKERS_ADVICE)[0].split())[:MAX_LENGTH]
    # The bot's own line, if there is one, rather than that of the project's code that it calls.
    ranked = [each for each in frames if folders.is_bot(each[0])]
    ranked = ranked or [each for each in frames if folders.has(each[0])]
    if not ranked:
        return text
    file, line = ranked[-1]
    return f"{folders.shown(file)}:{line} {text}"
