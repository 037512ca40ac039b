"""BotFolder: the folder that holds the bot, which is imported as the package `bot_logic`.

The bot SDK is imported before it, without the packages that only the SDK's own HTTP clients need.
msrest and botframework-connector import aiohttp, oauthlib and requests_oauthlib, which takes a
quarter of the SDK's import time, for clients that this project replaces. While the SDK is imported,
these packages are replaced by stand-ins, each of which imports the real module on first use.

Two of the SDK's classes would harm the bot, so bots that import them get this project's: the SDK's
TeamsInfo blocks the event loop, and its ShowTypingMiddleware never stops after a turn that raised.
Its functions for conversation references are replaced, too: they address replies differently than
the SDKs for .NET and JavaScript do.
"""

import contextlib
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cloud_adapter.state.objects.bot_classes import PACKAGE, bot_classes

if TYPE_CHECKING:
    from botbuilder.core import Bot

    from cloud_adapter.bot.services import BotServices


NO_NAMES = {"__init__", "__pycache__", "root"}
"""Never module names of a bot: the module names are used as logger names, and `root` is the root
logger's."""


class BotFolder:
    """Imports the bot.

    The bot may import its own modules as `bot_logic.dialogs`, `.dialogs` or `dialogs`, and find its
    own files by `__file__` or `os.getcwd()`, as bots do that run from their own folder.

    Args:
        path: the folder: absolute, with an `__init__.py`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def has_routes(self) -> bool:
        """Whether the bot has triggers of its own, in routes.py."""
        return (self.path / "routes.py").is_file()

    @property
    def module_names(self) -> set[str]:
        """The top-level names by which the bot may import its modules."""
        entries = (
            entry for entry in self.path.glob("*") if entry.is_dir() or entry.suffix == ".py"
        )
        return {PACKAGE, *(entry.stem for entry in entries)} - NO_NAMES

    def create_bot(self, services: "BotServices") -> "Bot | Awaitable[Bot]":
        """The bot, or an awaitable for it: the result of `create_bot` in `__init__.py`.

        Raises:
            ImportError: there is no `create_bot`.
            Exception: whatever the bot's own code raises.
        """
        bot_classes.use(self.path)
        create = getattr(self.load(), "create_bot", None)
        if create is None:
            raise ImportError(f"{self.path.name}/__init__.py needs a function create_bot(services)")
        created: Bot | Awaitable[Bot] = create(services)
        return created

    def create_routes(self, ready: Callable[[], Awaitable["BotServices"]]) -> Sequence[Any]:
        """The blueprints of `azure.functions` that `create_routes` in routes.py returns.

        It may return one alone.

        Args:
            ready: waits until the app is ready, and returns the services.

        Raises:
            Exception: whatever the bot's own code raises.
        """
        # The worker decides once from which library the requests of all functions are. It does so
        # here, since a bot may import another one than that of the base's functions.
        if (worker := sys.modules.get("azure_functions_runtime.http_v2")) is not None:
            with contextlib.suppress(AttributeError):  # another version
                worker.HttpV2Registry.http_v2_enabled()
        self.load()
        created = importlib.import_module(f"{PACKAGE}.routes").create_routes(ready)
        return created if isinstance(created, (list, tuple)) else (created,)

    def load(self) -> ModuleType:
        """Import the package, unless it has been imported from this folder.

        Raises:
            Exception: whatever the bot's own code raises.
        """
        self.enter()
        file = str(self.path / "__init__.py")
        if (found := sys.modules.get(PACKAGE)) is not None and found.__file__ == file:
            return found
        spec = importlib.util.spec_from_file_location(
            PACKAGE, file, submodule_search_locations=[str(self.path)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} cannot be imported")
        module = sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            del sys.modules[PACKAGE]  # the next attempt imports it again
            if isinstance(error, ImportError) and (names := self._taken_names()):
                error.add_note(
                    f"The names of these modules of the bot are taken by other modules:"
                    f" {', '.join(names)}. Import them as {PACKAGE}.NAME."
                )
            raise
        return module

    def enter(self) -> None:
        """Make the folder the working directory, and put it on `sys.path`."""
        # On every call: when Azure specializes a worker, the worker imports the functions, and with
        # them routes.py, and changes the working directory afterwards.
        os.chdir(self.path)
        if str(self.path) not in sys.path:
            # Last, so that a file of the bot never hides a module of the same name that a package
            # imports, perhaps as late as in a turn.
            sys.path.append(str(self.path))

    def _taken_names(self) -> list[str]:
        """The bot's modules whose names belong to modules that were imported from elsewhere."""
        files = {
            name: getattr(sys.modules[name], "__file__", None)
            for name in self.module_names & sys.modules.keys()
        }
        return sorted(
            name for name, file in files.items() if not f"{file}".startswith(f"{self.path}")
        )


_DEFERRED: Mapping[str, Collection[str]] = {
    "aiohttp": {"ClientResponse"},
    "oauthlib.oauth2": (),
    "requests_oauthlib": (),
}
"""For each module, the names that the SDK uses in annotations while it is imported."""


def import_bot_sdk() -> None:
    """Import the SDK's packages, so that later imports find them, and replace what is wrong.

    Call this function before anything else imports a part of the SDK.
    """
    with deferred(_DEFERRED):
        from botbuilder import core
        from botbuilder.core import show_typing_middleware, teams
        from botbuilder.core.teams import teams_activity_handler, teams_info
        from botbuilder.schema import Activity

    from cloud_adapter.activities import (
        apply_conversation_reference,
        conversation_reference,
    )
    from cloud_adapter.teams_info import TeamsInfo
    from cloud_adapter.turn_context import ShowTypingMiddleware

    for module in (teams, teams_activity_handler, teams_info):
        module.TeamsInfo = TeamsInfo
    for module in (core, show_typing_middleware):
        module.ShowTypingMiddleware = ShowTypingMiddleware
    core.TurnContext.get_conversation_reference = staticmethod(conversation_reference)
    core.TurnContext.apply_conversation_reference = staticmethod(apply_conversation_reference)
    Activity.get_conversation_reference = conversation_reference
    Activity.apply_conversation_reference = apply_conversation_reference
    logging.getLogger("msrest.serialization").addFilter(_is_not_of_action)


def _is_not_of_action(record: logging.LogRecord) -> bool:
    """Whether a log line is not of the invoke `adaptiveCard/action`.

    The SDK gives every property that the channel sends to a model without `trigger`, and msrest
    warns of each property that the model does not have, by the name that the caller sent.
    """
    from botbuilder.schema import AdaptiveCardInvokeValue

    return AdaptiveCardInvokeValue not in (record.args or ())


class DeferredModule(ModuleType):
    """Stands in for a module, and imports it on first use.

    Args:
        name: the module's name.
        annotations: names that the SDK uses only in annotations; while this object is in
            `sys.modules`, their use does not import the module.
    """

    def __init__(self, name: str, annotations: Collection[str] = ()) -> None:
        super().__init__(name)
        self._annotations = annotations

    def __getattr__(self, name: str) -> Any:
        """An attribute of the real module."""
        module = self.__name__
        if sys.modules.get(module) is self:
            if name in self._annotations:
                return Any
            del sys.modules[module]
        return getattr(importlib.import_module(module), name)


@contextmanager
def deferred(modules: Mapping[str, Collection[str]]) -> Iterator[None]:
    """Replace those of `modules` that are not imported yet with stand-ins.

    After the block, imports find the real modules. Code that has imported a stand-in keeps it.

    Args:
        modules: for each module name, the `annotations` (see DeferredModule).
    """
    stand_ins = {
        name: DeferredModule(name, annotations)
        for name, annotations in modules.items()
        if name not in sys.modules
    }
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
