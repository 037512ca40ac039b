"""A folder with this app and another bot, which stands in the place of bot_logic."""

from pathlib import Path

APP = Path(__file__).parents[2]
BOT = "bot_logic"


def link_app(folder: Path, bot: Path) -> None:
    """Fill a folder with links to this app's files and to a bot.

    The app's local.settings.json is among them.

    Args:
        folder: exists, and is empty.
        bot: the bot's folder, with an `__init__.py`.
    """
    for entry in APP.iterdir():
        if entry.name != BOT and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    (folder / BOT).symlink_to(bot.absolute())
