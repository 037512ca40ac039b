"""AzureThread: the local Azure on an event loop of its own, for blocking clients."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from bot_workbench.emulator.bot_channel import BotChannel
from bot_workbench.emulator.local_azure import LocalAzure
from tests.support.light_sites.light_site import light_site

SECONDS = 200
"""No call takes longer."""

TURN_SECONDS = 60.0
"""The time that a bot has for a turn: more than a real channel gives it, for slow machines."""


class AzureThread:
    """Runs a LocalAzure in a thread.

    Args:
        folder: see LocalAzure.
        in_processes: whether sites run their code; otherwise, a LightSite answers for each.

    Attributes:
        azure: the local Azure, once the thread has started.
    """

    def __init__(self, folder: Path, *, in_processes: bool = False) -> None:
        self.azure: LocalAzure
        self._folder = folder
        self._run_site = None if in_processes else light_site
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local Azure")

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.do(self._start())
        except BaseException:
            self._join()
            raise
        return self

    async def _start(self) -> None:
        self.azure = LocalAzure(self._folder, self._run_site)
        self.azure.on_channel = _allow_long_turns
        # A clock that a test moves does not wait until Azure accepts reads again.
        self.azure.resource_manager.read_throttle.size = 0
        await self.azure.start()

    def __exit__(self, *_: object) -> None:
        self.do(self._end())
        self._join()

    def _join(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self.azure.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def do[Result](self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on its loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=SECONDS)

    def call[**Parameters, Result](
        self,
        function: Callable[Parameters, Result],
        *arguments: Parameters.args,
        **named: Parameters.kwargs,
    ) -> Result:
        """Call a function on its loop, which alone may change what the local Azure stores."""

        async def called() -> Result:
            return function(*arguments, **named)

        return self.do(called())

    def settle(self, site: str) -> None:
        """Wait until a site runs with its latest settings."""
        self.do(self.azure.sites.code(site).settled())

    def set_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make this process's clients reach it, and sign in as its pipeline."""
        for name in ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name, text in self.azure.environ.items():
            monkeypatch.setenv(name, text)


def _allow_long_turns(channel: BotChannel) -> None:
    channel.channel.timeout = TURN_SECONDS


async def answer_of(
    azure: LocalAzure, method: str, url: str, *, body: object = None, **headers: str
) -> tuple[int, Any]:
    """The status and the text that a stand-in answers to a request under its public name.

    Args:
        azure: has the stand-in.
        method: HTTP method.
        url: with the public name.
        body: sent as JSON; None: no body.
        headers: HTTP headers.
    """
    connector = azure.connector()
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, url, headers=headers, json=body) as answer,
    ):
        return answer.status, await answer.text()
