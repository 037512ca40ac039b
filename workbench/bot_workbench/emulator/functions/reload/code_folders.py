"""CodeFolders: where an app's own code is, and how messages name its files."""

import os
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from bot_workbench.funcignore import FuncIgnore
from bot_workbench.setup.requirements import REQUIREMENTS

BOT = "bot_logic"
FUNCIGNORE = ".funcignore"
SETTINGS_FILE = "local.settings.json"
"""Not deployed, but read by the host."""

NEVER = {"__pycache__", "node_modules", "site-packages"}
"""Folders without code of the app's own; nor has any whose name begins with a dot."""


class CodeFolders:
    """The files and folders of an app that are deployed, wherever symbolic links lead.

    `.funcignore` says what is deployed; without it everything is.

    Args:
        app: the folder of function_app.py, absolute.
    """

    def __init__(self, app: Path) -> None:
        self.app = app
        self._here = Path.cwd()  # loading the bot changes the working folder
        rules = app / FUNCIGNORE
        self._deployed = FuncIgnore(rules.read_text("utf-8") if rules.is_file() else "")
        # By their real paths, because these are what Python and the file system report.
        self._entries = {entry.resolve(): entry.name for entry in app.iterdir() if self._is(entry)}

    @property
    def folders(self) -> Sequence[Path]:
        """The real paths of the app's folders."""
        return [path for path in self._entries if path.is_dir()]

    @property
    def parents(self) -> Sequence[Path]:
        """The folders in which the app's files and folders are: they may be replaced as a whole."""
        return sorted({self.app.resolve(), *(path.parent for path in self._entries)})

    def accepts(self, path: Path) -> bool:
        """Whether a path is the app's code, something that the code reads, or a folder of those.

        Of a new folder, the system may notice only that it is there, and not the files in it.
        """
        within = self._within(path)
        if within is None or any(_is_hidden(part) for part in Path(within).parts[:-1]):
            return False
        if path.is_dir():
            return self._is(path) if "/" not in within else not _is_hidden(path.name)
        return within == SETTINGS_FILE or self._deployed.accepts(within)

    def is_entry(self, path: Path) -> bool:
        """Whether a path is one of the app's own files and folders."""
        return path in self._entries

    def has(self, path: Path) -> bool:
        """Whether a file lies in one of the folders, or is one of the files."""
        return self._within(path) is not None

    def is_bot(self, path: Path) -> bool:
        """Whether a file is the bot's."""
        return (self._within(path) or "").startswith(f"{BOT}/")

    @property
    def requirements(self) -> Path:
        """The real path of the bot's requirements file, which may be missing."""
        return (self.app / BOT).resolve() / REQUIREMENTS

    def has_module(self, name: str) -> bool:
        """Whether a module is the app's own or, also by its name alone, the bot's."""
        top = name.partition(".")[0]
        names = {*self._entries.values(), *(each.name for each in (self.app / BOT).glob("*"))}
        return bool({top, f"{top}.py"} & names)

    def shown(self, path: Path) -> str:
        """A file's path as messages name it: from the working folder, or else from the app's."""
        for found in (path, path.resolve()):
            for folder in (self._here, *(entry.parent for entry in self._entries)):
                if found.is_relative_to(folder):
                    return found.relative_to(folder).as_posix()
        return path.as_posix()

    def _is(self, entry: Path) -> bool:
        if entry.name == SETTINGS_FILE:
            return True
        if not entry.is_dir():
            return self._deployed.accepts(entry.name)
        return not _is_hidden(entry.name) and self._deployed.accepts(f"{entry.name}/__init__.py")

    def _within(self, path: Path) -> str | None:
        """A file's path in the app's folder, with forward slashes; None if it is not there."""
        # As it is first: a link in a folder may lead elsewhere.
        for found in (path, path.resolve()):
            for entry, name in self._entries.items():
                if found == entry:
                    return name
                if found.is_relative_to(entry):
                    return f"{name}/{found.relative_to(entry).as_posix()}"
        return path.name if path.parent == self.app.resolve() else None


def _is_hidden(name: str) -> bool:
    return name in NEVER or name.startswith(".")


def is_installed(file: str) -> bool:
    """Whether a module's file belongs to Python or to an installed package."""
    return file.startswith(_INSTALLED)


_INSTALLED = tuple(
    f"{path}{os.sep}"
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
    for path in (sysconfig.get_path(name), os.path.realpath(sysconfig.get_path(name)))
)
