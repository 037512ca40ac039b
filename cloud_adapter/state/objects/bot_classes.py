"""BotClasses: the classes of the bot that state may hold, by tags such as `bot:models:Profile`.

Warnings about their objects are logged once, until another bot is loaded.
"""

import logging
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from cloud_adapter.state.objects.introspection import (
    class_dict,
    is_class,
    module_dict,
    module_name,
    qualified_name,
)

log = logging.getLogger(__name__)

PACKAGE = "bot_logic"
"""The name of the package that the bot's folder is imported as."""

PREFIX = "bot:"

MAX_TAG_LENGTH = 200

_TAG = re.compile(r"bot:((?:\w+(?:\.\w+)*)?):(\w+(?:\.\w+)*)")


@lru_cache(maxsize=256)
def warn_once(text: str, *arguments: str) -> None:
    """Log a warning, unless it has been logged since the bot was loaded."""
    log.warning(text, *arguments)


class BotClasses:
    """Finds classes whose modules are files in the bot's folder.

    A tag names the file, relative to the folder, and the class in it. So it does not matter whether
    the bot imports a module as `bot_logic.models` or as `models`.

    Attributes:
        found: the shapes that the allow list has found, by class and by tag; emptied by `use`.
    """

    def __init__(self) -> None:
        self.use(None)

    def use(self, folder: Path | None) -> None:
        """Change to another bot.

        Args:
            folder: the folder that is imported as `bot_logic`; None: there is no bot.
        """
        warn_once.cache_clear()
        self._folder = folder.resolve() if folder is not None else None
        self._modules: dict[str, str | None] = {}
        self.found: dict[type | str, Any] = {}

    def tag(self, kind: type) -> str:
        """The tag of a class; empty if it is not the bot's.

        Raises:
            TypeError: reading could not find the class again.
        """
        module = self._module_of(kind)
        if module is None:
            return ""
        name = qualified_name(kind)
        if "<locals>" in name:
            raise TypeError(
                f"is a {name}, whose class is defined in a function: define it at the top level of"
                " its module"
            )
        tag = f"{PREFIX}{module}:{name}"
        try:
            found = self.find(tag)
        except ValueError:
            found = None
        if found is not kind and not _is_namesake(found, kind):
            raise TypeError(
                f"is a {name:.80}, but its module has no such attribute, or another one: define"
                " its class at the top level of its module, under its own name"
            )
        return tag

    def find(self, tag: str) -> type | None:
        """The class of a tag; None if the bot no longer has the class. Imports nothing.

        Raises:
            ValueError: this is not a tag of the bot's, or it does not name a class of the bot. The
                text says why.
        """
        names = _TAG.fullmatch(tag) if len(tag) <= MAX_TAG_LENGTH else None
        if names is None or any(part.startswith("__") for part in re.split("[:.]", tag)):
            raise ValueError("is not a valid tag")
        module = self._loaded(names[1])
        if module is None:
            return None
        found = None
        attributes = module_dict(module)
        for part in names[2].split("."):
            if part not in attributes:
                return None
            found = attributes[part]
            if not is_class(found) or self._module_of(found) is None:
                raise ValueError("is not a class that is defined in the bot's folder")
            attributes = class_dict(found)
        return found

    def _loaded(self, name: str) -> object:
        """The loaded module of a file in the folder; None if the file no longer exists."""
        if self._folder is None:
            raise ValueError("is a class of the bot, but no bot is loaded")
        names = (f"{PACKAGE}.{name}", name) if name else (PACKAGE,)
        loaded = [sys.modules[each] for each in names if each in sys.modules]
        found = [module for module in loaded if self._module(module) == name]
        if len(found) > 1:
            warn_once(
                "The bot has imported a module twice, as %s and as %s. State holds objects of its"
                " classes, which Python treats as different: import it in one way only",
                *names,
            )
        if found:
            return found[0]
        if loaded:
            raise ValueError("is not in the bot's folder")
        file = self._folder.joinpath(*name.split("."))
        if file.with_suffix(".py").is_file() or (file / "__init__.py").is_file():
            raise ValueError(
                f"is in {name}, which is not imported: import it in {PACKAGE}/__init__.py"
            )
        return None

    def _module_of(self, kind: type) -> str | None:
        return self._module(sys.modules.get(module_name(kind)))

    def _module(self, module: object) -> str | None:
        """The name of a module in the folder, relative to it; None if it is not in it."""
        file = module_dict(module).get("__file__")
        if self._folder is None or type(file) is not str:
            return None
        if file not in self._modules:
            self._modules[file] = self._relative(self._folder, Path(file).resolve())
        return self._modules[file]

    @staticmethod
    def _relative(folder: Path, file: Path) -> str | None:
        if not file.is_relative_to(folder):
            return None
        parts = list(file.relative_to(folder).with_suffix("").parts)
        if parts[-1] == "__init__":
            del parts[-1]
        # A virtual environment in the folder is not the bot's code: `site-packages` is not an
        # identifier.
        return ".".join(parts) if all(part.isidentifier() for part in parts) else None


bot_classes = BotClasses()
"""The classes of this process's bot."""


def _is_namesake(found: type | None, kind: type) -> bool:
    """Whether two classes are the same one, from a file that was imported as two modules."""
    if found is None or module_name(found) == module_name(kind):
        return False
    return qualified_name(found) == qualified_name(kind)
