"""The app's folder, and the workbench's."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

MARKS = ("function_app.py", "host.json")
"""The files that an app's folder has."""


def find_app(start: Path) -> Path | None:
    """The nearest folder with an app: this one, or one above it; None: there is none."""
    folders = (start, *start.parents)
    return next((each for each in folders if all((each / name).is_file() for name in MARKS)), None)


APP = find_app(Path.cwd()) or Path.cwd()
"""The app of this process: that of the folder in which it was started."""

WORKBENCH = Path(__file__).parents[1]
"""The folder on the import path that has this package, and the test kit's."""

THIRD_PARTY = Path(__file__).parent / "third_party"
"""The libraries from npm that the workbench brings along: a wheel holds it, and git ignores it."""


class NoAppError(Exception):
    """The command was started outside an app's folder; the text says what it needs."""


def require_app() -> Path:
    """The app's folder.

    Raises:
        NoAppError: this process was not started in an app's folder.
    """
    found = find_app(Path.cwd())
    if found is None:
        raise NoAppError(
            f"There is no bot in {Path.cwd()}: go to the folder that has {' and '.join(MARKS)},"
            " and run the command again."
        )
    return found


def version() -> str:
    """The version of the base in whose folder this process was started; else, the workbench's.

    It is read from composition.py, because an editable installation of the workbench keeps the
    version that the base had at that time.
    """
    file = APP / "composition.py"
    text = file.read_text("utf-8") if file.is_file() else ""
    found = re.search(r'^VERSION = "(.+)"$', text, re.MULTILINE)
    return found[1] if found else importlib.metadata.version("bot-workbench")
