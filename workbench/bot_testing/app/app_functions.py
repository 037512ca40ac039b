"""AppFunctions: the functions of the app and of the bot, called without a host."""

import asyncio
import importlib
import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from bot_testing.errors import ChatMistake
from bot_workbench.emulator.functions.route import Route
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.worker import prepare_indexing
from cloud_adapter.bot.folder import BotFolder
from cloud_adapter.bot.routes import usable_functions
from composition import Composition


class AppFunctions:
    """Imports function_app.py, and replaces its composition with that of each test.

    Attributes:
        messages: the messaging endpoint.
        skills: the endpoint for replies of skills.
        turns: the trigger of the queue of turns.
        notifications: the trigger of the queue of notifications.
    """

    def __init__(self) -> None:
        prepare_indexing()
        self._module: Any = importlib.import_module("function_app")
        found = {each.get_function_name(): each for each in self._module.app.get_functions()}
        self.messages = found["messages"].get_user_function()
        self.skills = self._module.http_function(self._module.skills)
        self.turns = self._module.turns
        self.notifications = self._module.notifications
        self._of_bot: list[Any] = []

    def use(
        self, composition: Composition, folder: BotFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Make the functions use this composition, and load those of the bot's routes.py.

        Raises:
            AssertionError: one of them could not run beside the others in Azure.
        """
        monkeypatch.setattr(self._module, "composition", composition)
        self._of_bot = []
        if folder.has_routes:
            usable, faults = usable_functions(folder.create_routes(self._module.bot_services))
            if faults:
                raise AssertionError(
                    "\n".join(("In Azure, these parts of routes.py would be left out:", *faults))
                )
            app = func.FunctionApp()
            app.register_functions(usable)
            self._of_bot = app.get_functions()

    async def call(self, method: str, path: str, body: bytes) -> func.HttpResponse:
        """Send a request to an HTTP function of the bot.

        Args:
            method: HTTP method.
            path: below `/api/`, with the query.
            body: JSON; may be empty.

        Raises:
            ChatMistake: the bot has no such function.
            Exception: whatever the function raises.
        """
        route, _, query = path.partition("?")
        for each in self._of_bot:
            bindings = tuple(json.loads(binding) for binding in each.get_raw_bindings())
            function = Function("", each.get_function_name(), bindings)
            params = (
                Route(function, "api").params(method, f"/api/{route}") if function.is_http else None
            )
            if params is not None:
                request = func.HttpRequest(
                    method=method,
                    url=f"https://localhost/api/{path}",
                    headers={"content-type": "application/json"},
                    params=dict(re.findall(r"([^&=]+)=([^&]*)", query)),
                    route_params=params,
                    body=body,
                )
                response: func.HttpResponse = await invoked(each.get_user_function(), request)
                return response
        raise ChatMistake(f"routes.py has no function for {method} /api/{route}.")

    async def run_timer(self, name: str) -> None:
        """Run a timer's function.

        Raises:
            ChatMistake: the bot has no such timer.
            Exception: whatever the function raises.
        """
        for each in self._of_bot:
            if each.get_function_name() == name and each.get_trigger().type == "timerTrigger":
                await invoked(each.get_user_function(), TimerRequest(past_due=False))
                return
        names = [each.get_function_name() for each in self._of_bot]
        raise ChatMistake(f"routes.py has no timer {name!r}: its functions are {names}.")


async def invoked(function: Callable[..., Any], argument: Any) -> Any:
    """Call a function in a task of its own or in a thread, as the host does."""
    if inspect.iscoroutinefunction(function):
        return await asyncio.create_task(function(argument))
    return await asyncio.to_thread(function, argument)
