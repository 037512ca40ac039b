"""Imports the bot SDK without the packages that only its own HTTP clients need.

msrest and botframework-connector import aiohttp, oauthlib and requests_oauthlib: a quarter of the
time in which the SDK is imported, for clients that no turn of ours uses. Nothing of theirs is
changed: they get a module that imports the real one as soon as it is used.
"""

import importlib
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_DEFERRED: Mapping[str, Collection[str]] = {
    "aiohttp": {"ClientResponse"},
    "oauthlib.oauth2": (),
    "requests_oauthlib": (),
}
"""By module: the names that the SDK takes from it for annotations while it is imported."""


def import_bot_sdk() -> None:
    """Import the SDK's packages; afterwards any import of one finds it.

    To be called before anything else imports a part of the SDK, in the same thread.
    """
    with deferred(_DEFERRED):
        import botbuilder.core
        import botbuilder.core.teams  # noqa: F401


class DeferredModule(ModuleType):
    """Stands for a module that is imported when it is first used.

    Args:
        name: the module's.
        annotations: names that are only annotations, as long as this stands for the module in
            `sys.modules`: they are no use of it.
    """

    def __init__(self, name: str, annotations: Collection[str] = ()) -> None:
        super().__init__(name)
        self._annotations = annotations

    def __getattr__(self, name: str) -> Any:
        """An attribute of the module itself."""
        module = self.__name__
        if sys.modules.get(module) is self:
            if name in self._annotations:
                return Any
            del sys.modules[module]
        return getattr(importlib.import_module(module), name)


@contextmanager
def deferred(modules: Mapping[str, Collection[str]]) -> Iterator[None]:
    """Defer those of `modules`, with their annotations, that are not imported yet.

    After it an import finds the real module; who has a deferred one by then keeps it.
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
