"""RunningBot: the whole app in the test's process, in front of the local cloud."""

import asyncio
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from botbuilder.schema import Activity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from auth.settings import Settings
from bot_testing.app_functions import AppFunctions
from bot_testing.options import ROOT
from cloud_adapter.adapter import Logic, OnError
from cloud_adapter.bot.folder import BotFolder
from cloud_adapter.turn_context import TurnContext
from composition import Composition, Parts
from emulator.cloud import Cloud

ENDPOINT = "https://localhost/api/messages"


class _App(Composition):
    """The composition without its warm-up, which would leave the whole run's garbage collection
    changed: the parts are created when the fixture asks for them."""

    async def ready(self) -> Parts:
        return self.parts


class RunningBot:
    """The app as the Functions host runs it: composition, middleware, bot, and its functions.

    Args:
        cloud: running in a thread of its own.
        folder: the bot's.
        settings: the app settings that differ from the cloud's own.
        functions: the app's.
        monkeypatch: undoes at the test's end what the app's process has to itself.

    Attributes:
        errors: what the bot's code has raised so far.
    """

    def __init__(
        self,
        cloud: Cloud,
        folder: Path,
        settings: Mapping[str, str],
        functions: AppFunctions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.cloud = cloud
        self.folder = folder
        self.errors: list[Exception] = []
        self._functions = functions
        self._monkeypatch = monkeypatch
        self._set_environment({**cloud.settings(), **settings})
        self.start()

    def _set_environment(self, settings: Mapping[str, str]) -> None:
        """Give the process these settings, and none that the developer's shell has."""
        example = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))
        for name in example["Values"]:
            self._monkeypatch.delenv(name, raising=False)
        for name, text in settings.items():
            self._monkeypatch.setenv(name, text)
        # The Azure SDKs': aiohttp reads SSL_CERT_FILE for them when it is imported.
        trust = ssl.create_default_context(cafile=str(self.cloud.authority.path))
        self._monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)

    def start(self) -> None:
        """Put the app together.

        Raises:
            Exception: whatever the bot's `create_bot` raises.
        """
        environ = dict(os.environ)
        app = _App(
            lambda: Settings.from_environ(environ), environ, BotFolder(self.folder).create_bot
        )
        self.parts = app.parts
        self._record_errors()
        self._functions.use(app)

    def _record_errors(self) -> None:
        """Note what a turn raises before the adapter, or the bot's own handler, deals with it."""
        run = self.parts.adapter.run

        async def recorded(
            caller: AuthenticateRequestResult, activity: Activity, logic: Logic, on_error: OnError
        ) -> TurnContext:
            async def noted(context: TurnContext, error: Exception) -> None:
                self.errors.append(error)
                await on_error(context, error)

            return await run(caller, activity, logic, noted)

        self._monkeypatch.setattr(self.parts.adapter, "run", recorded)

    async def close(self) -> None:
        """Close the app's connections."""
        await self.parts.close()

    async def post(self, activity: Mapping[str, Any]) -> func.HttpResponse:
        """POST an activity to the messaging endpoint, with the channel's token."""
        token = self.cloud.channel.token(str(activity["serviceUrl"]))
        request = func.HttpRequest(
            method="POST",
            url=ENDPOINT,
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
            body=json.dumps(activity).encode(),
        )
        # In a task of its own, as the host does.
        return await asyncio.create_task(self._functions.messages(request))
