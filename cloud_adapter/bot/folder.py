"""BotFolder: the folder that holds the bot, which is imported as the package `bot_logic`."""

import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botbuilder.core import Bot

    from cloud_adapter.bot.services import BotServices

PACKAGE = "bot_logic"


class BotFolder:
    """Imports the bot.

    The bot may import its own modules as `bot_logic.dialogs`, `.dialogs` or `dialogs`, and find its
    own files by `__file__` or `os.getcwd()`, as bots do that are written to be run from their
    folder.

    Args:
        path: the folder: absolute, with an `__init__.py`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def has_routes(self) -> bool:
        """Whether the bot has triggers of its own, in routes.py."""
        return (self.path / "routes.py").is_file()

    def create_bot(self, services: "BotServices") -> "Bot":
        """The bot that `create_bot` in the folder's `__init__.py` returns.

        Raises:
            ImportError: there is no `create_bot`.
            TypeError: it returns nothing.
            Exception: whatever the bot's own code raises.
        """
        from cloud_adapter.state.objects.state_classes import state_classes

        state_classes.use(self.path)
        create = getattr(self.load(), "create_bot", None)
        if create is None:
            raise ImportError(f"{self.path.name}/__init__.py needs a function create_bot(services)")
        bot = create(services)
        if bot is None:
            raise TypeError("create_bot(services) returned None: it must return the bot")
        return bot

    def create_routes(self, ready: Callable[[], Awaitable["BotServices"]]) -> Any:
        """The `azure.functions.Blueprint` that `create_routes` in routes.py returns.

        Args:
            ready: returns the services once the app is put together.

        Raises:
            Exception: whatever the bot's own code raises.
        """
        self.load()
        return importlib.import_module(f"{PACKAGE}.routes").create_routes(ready)

    def load(self) -> ModuleType:
        """Import the package, unless it has been imported from this folder."""
        # Also if it has been imported: when Azure specializes a worker, the worker imports the
        # functions, and with them routes.py, before it changes the working directory.
        os.chdir(self.path)
        file = str(self.path / "__init__.py")
        if (found := sys.modules.get(PACKAGE)) is not None and found.__file__ == file:
            return found
        sys.path.insert(0, str(self.path))
        spec = importlib.util.spec_from_file_location(
            PACKAGE, file, submodule_search_locations=[str(self.path)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} cannot be imported")
        module = sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[PACKAGE]  # the next attempt imports it again
            raise
        return module
