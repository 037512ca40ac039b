"""BotModules: one bot's modules at a time in `sys.modules`, so that a run can test several bots."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from cloud_adapter.bot.folder import BotFolder
from cloud_adapter.state.objects.bot_classes import PACKAGE


class BotModules:
    """Imports each bot once in a run, and sets its modules aside while another bot is tested.

    So in every test of a folder, a class that the test imports from `bot_logic` is the class that
    the bot uses.
    """

    def __init__(self) -> None:
        self._aside: dict[Path, dict[str, ModuleType]] = {}
        self._before_restart: dict[Path, dict[str, ModuleType]] = {}

    @contextlib.contextmanager
    def of(self, folder: Path) -> Iterator[None]:
        """Within this context, `bot_logic` is this folder, as in a process that runs only this bot.

        The folder is on `sys.path`, and is the working directory.
        """
        loaded = _loaded_folder()
        others = _taken(loaded) if loaded != folder else {}
        if loaded != folder:
            sys.modules.update(self._aside.pop(folder, {}))
        elsewhere, path = Path.cwd(), list(sys.path)
        BotFolder(folder).enter()
        try:
            yield
        finally:
            os.chdir(elsewhere)
            sys.path[:] = path
            if folder in self._before_restart:
                _taken(folder)
                sys.modules.update(self._before_restart.pop(folder))
            if loaded != folder:
                self._aside[folder] = _taken(folder)
                sys.modules.update(others)

    def restart(self, folder: Path) -> None:
        """Make the tested bot be imported again. The next test gets the current modules back."""
        taken = _taken(folder)
        self._before_restart.setdefault(folder, taken)


def _loaded_folder() -> Path | None:
    package = sys.modules.get(PACKAGE)
    return Path(package.__file__).parent if package and package.__file__ else None


def _taken(folder: Path | None) -> dict[str, ModuleType]:
    """Remove the modules of the bot in a folder from `sys.modules`, and return them.

    Those in its package are among them even if they are another bot's: what imports a bot without
    the kit may leave `bot_logic.routes` behind.
    """
    taken = {name for name, module in sys.modules.items() if _is_of_bot(name, module, folder)}
    return {name: sys.modules.pop(name) for name in taken}


def _is_of_bot(name: str, module: ModuleType, folder: Path | None) -> bool:
    """Whether a module is in the bot's package, or imported from the folder as the bot imports it.

    A test module in the folder, for example, is imported under another name.
    """
    if name.partition(".")[0] == PACKAGE:
        return True
    if folder is None:
        return False
    content = getattr(module, "__dict__", {})  # getattr(module, ...) may import a lazy module
    places = [content.get("__file__"), *content.get("__path__", [])]
    place = next((each for each in places if each), "")
    if not place.startswith(str(folder)):
        return False
    parts = Path(place).relative_to(folder).with_suffix("").parts
    dotted = ".".join(parts).removesuffix("__init__").rstrip(".")
    return name == dotted
