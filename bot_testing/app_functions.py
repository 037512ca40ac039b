"""AppFunctions: the functions of function_app.py, called without a host."""

import importlib
from typing import Any

from composition import Composition


class AppFunctions:
    """Imports function_app.py, which creates its composition; a test uses one of its own instead.

    Attributes:
        messages: the messaging endpoint.
    """

    def __init__(self) -> None:
        self._module: Any = importlib.import_module("function_app")
        found = {each.get_function_name(): each for each in self._module.app.get_functions()}
        self.messages = found["messages"].get_user_function()

    def use(self, composition: Composition) -> None:
        """Let the functions use this composition."""
        self._module.composition = composition
