"""WrittenBot: a bot's folder, whose files a test writes, and whose modules it imports."""

import importlib
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from textwrap import dedent
from typing import Any

from cloud_adapter.state.objects.bot_classes import bot_classes


class WrittenBot:
    """A bot, which is imported as the package `bot_logic`, as the Functions app does.

    Args:
        folder: an empty folder, in which the bot's modules are searched first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._aside = {name: sys.modules[name] for name in sys.modules if _is_bot(name)}

    def load(self, files: Mapping[str, str]) -> None:
        """Write the bot again, as if it had been deployed and its process restarted.

        Args:
            files: the sources by path; `__init__.py` is added.
        """
        self._forget()
        for old in self.folder.rglob("*.py"):
            old.unlink()
        for path, source in {"__init__.py": "", **files}.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(source))
        importlib.invalidate_caches()
        spec = spec_from_file_location(
            "bot_logic",
            self.folder / "__init__.py",
            submodule_search_locations=[str(self.folder)],
        )
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["bot_logic"] = module_from_spec(spec)
        bot_classes.use(self.folder)
        spec.loader.exec_module(module)

    def module(self, name: str) -> Any:
        """A module of the bot's, as the bot would import it: `models` or `bot_logic.models`."""
        return importlib.import_module(name)

    def unload(self) -> None:
        """Leave no trace of the bot."""
        self._forget()
        sys.modules.update(self._aside)
        bot_classes.use(None)

    def _forget(self) -> None:
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if _is_bot(name) or Path(file).is_relative_to(self.folder):
                del sys.modules[name]


def _is_bot(name: str) -> bool:
    return name.partition(".")[0] == "bot_logic"
