"""A folder with this app and another bot, which stands in the place of bot_logic."""

from pathlib import Path

from emulator.commands.funcignore import FuncIgnore

APP = Path(__file__).parents[2]
BOT = "bot_logic"
LOCAL_SETTINGS = "local.settings.json"
"""Not deployed, but read by the Functions host."""


class NoBotError(Exception):
    """The folder has no bot; the text says what to do."""


def link_app(folder: Path, bot: Path) -> None:
    """Fill a folder with links to this app's deployed files and to a bot.

    The app's local.settings.json is among them.

    Args:
        folder: exists, and is empty.
        bot: the bot's folder, with an `__init__.py`.
    """
    deployed = FuncIgnore((APP / ".funcignore").read_text())
    for entry in APP.iterdir():
        # Python files of a folder are deployed, or nothing of it.
        path = f"{entry.name}/__init__.py" if entry.is_dir() else entry.name
        if entry.name != BOT and (deployed.accepts(path) or entry.name == LOCAL_SETTINGS):
            (folder / entry.name).symlink_to(entry)
    (folder / BOT).symlink_to(bot.absolute())


def app_with_bot(bot: Path, folder: Path) -> Path:
    """The folder of the app with a bot: this one for its own bot, else a new one.

    Args:
        bot: the bot's folder.
        folder: is made for another bot.

    Raises:
        NoBotError: there is no bot.
    """
    if not has_bot(bot):
        raise NoBotError(
            f"BOT={bot} has no bot: its __init__.py needs a function create_bot(services). Choose"
            f" one of {', '.join(map(str, _bots()))}, or your own."
        )
    if bot.samefile(APP / BOT):
        return APP
    folder.mkdir()
    link_app(folder, bot)
    return folder


def has_bot(folder: Path) -> bool:
    """Whether a folder offers `create_bot`."""
    package = folder / "__init__.py"
    return package.is_file() and "create_bot" in package.read_text("utf-8")


def _bots() -> list[Path]:
    """The bots in the project, as paths from its folder."""
    found = [APP / BOT, *sorted((APP / "examples").glob("*"))]
    return [path.relative_to(APP) for path in found if has_bot(path)]
