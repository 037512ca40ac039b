"""Folders with bots, and the app with one of them in place of bot_logic."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bot_workbench.funcignore import FuncIgnore
from bot_workbench.project import APP

BOT = "bot_logic"
NOT_DEPLOYED = ("local.settings.json", ".funcignore")
"""The files that are not deployed, and that the workbench's Functions host reads all the same."""


PAIR = ("host", "skill")
"""The names of the folders of a bot and of the skill that it calls."""


class NoBotError(Exception):
    """The folder has no bot; the text says what to do."""


def link_app(folder: Path, bot: Path) -> None:
    """Fill a folder with links to this app's deployed files and to a bot.

    The app's local.settings.json is among them.

    Args:
        folder: exists, and is empty.
        bot: the bot's folder, with an `__init__.py`.
    """
    deployed = FuncIgnore((APP / ".funcignore").read_text("utf-8"))
    for entry in APP.iterdir():
        # A folder is deployed if its Python files are.
        path = f"{entry.name}/__init__.py" if entry.is_dir() else entry.name
        if entry.name != BOT and (deployed.accepts(path) or entry.name in NOT_DEPLOYED):
            _link(folder / entry.name, entry)
    _link(folder / BOT, bot.absolute())


def _link(link: Path, target: Path) -> None:
    if sys.platform != "win32":
        link.symlink_to(target)
        return
    # Links need a privilege on Windows; junctions, which only folders can have, do not.
    import _winapi

    if target.is_dir():
        _winapi.CreateJunction(str(target), str(link))
    else:
        shutil.copyfile(target, link)


def bots_in(folder: Path) -> Sequence[Path]:
    """The folders of the bots in a folder: the folder itself, or those of a parent and its skill.

    Raises:
        NoBotError: there is no bot.
    """
    found = find_bots(folder)
    if not found:
        choices = (each for each in (APP / BOT, *sorted(APP.glob("examples/*"))) if find_bots(each))
        names = ", ".join(str(each.relative_to(APP)) for each in choices)
        raise NoBotError(
            f"BOT={folder} has no bot: its __init__.py needs a function create_bot(services)."
            f" Choose one of {names}, or your own."
        )
    return found


def find_bots(folder: Path) -> Sequence[Path]:
    """Like `bots_in`, but empty if there is no bot."""
    pair = [folder / name for name in PAIR]
    if _has_bot(folder):
        return [folder]
    return pair if all(map(_has_bot, pair)) else []


def bots_below(folder: str, root: Path = APP) -> Sequence[Path]:
    """The folders of the bots in a folder of the app's, at any depth, with a requirements.txt."""
    files = root.glob(f"{folder}/**/requirements.txt")
    return sorted(file.parent for file in files if _has_bot(file.parent))


def _has_bot(folder: Path) -> bool:
    package = folder / "__init__.py"
    return package.is_file() and "create_bot" in package.read_text("utf-8")


def app_with_bot(bot: Path, folder: Path) -> Path:
    """The folder of the app with a bot: for the project's own bot, the project; else a new folder.

    Args:
        bot: the bot's folder.
        folder: the new folder, which is created.
    """
    if bot.samefile(APP / BOT):
        return APP
    folder.mkdir()
    link_app(folder, bot)
    return folder
