"""ImportWatch: says when modules have been imported."""

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Imported = Callable[[ModuleType], None]
"""Called when a module's code has run, before whoever imports it gets it. It must not raise."""


class ImportWatch(MetaPathFinder):
    """Finds modules as the other finders do, with a loader that calls those who want to know.

    It is among Python's finders only while somebody waits for a module.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[Imported]] = defaultdict(list)
        self._changing = threading.Lock()

    def add(self, name: str, imported: Imported) -> None:
        """Have a function called when a module has been imported."""
        with self._changing:
            self._waiting[name].append(imported)
            if self not in sys.meta_path:
                sys.meta_path.insert(0, self)

    def remove(self, imported: Imported) -> None:
        """Forget a function, whatever it waits for."""
        with self._changing:
            for name, waiting in list(self._waiting.items()):
                left = [each for each in waiting if each != imported]
                if left:
                    self._waiting[name] = left
                else:
                    del self._waiting[name]
            if not self._waiting and self in sys.meta_path:
                sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A module's spec, if somebody waits for it; None for others, which are not touched."""
        if name not in self._waiting:
            return None
        others = [each for each in list(sys.meta_path) if each is not self]
        found = (each.find_spec(name, path, target) for each in others)
        spec = next((each for each in found if each is not None), None)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            for imported in list(self._waiting.get(name, ())):
                imported(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


import_watch = ImportWatch()
"""The process's."""
