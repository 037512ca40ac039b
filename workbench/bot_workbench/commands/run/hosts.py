"""The processes that serve the bot, and their environment."""

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from bot_workbench.commands.run.debugging import NO_DEBUGGER, Debugging
from bot_workbench.commands.run.errors import StartError
from bot_workbench.emulator.child import Child
from bot_workbench.emulator.storage.local_storage import SETTING
from bot_workbench.project import APP

NO_TURN = f"00-{'0' * 31}1-{'0' * 15}1-00"

START_TIMEOUT_SECONDS = 60.0


def functions_host(
    port: int,
    settings: Mapping[str, str],
    app: Path,
    *,
    reload_bot: Path | None = None,
    debugging: Debugging = NO_DEBUGGER,
) -> Child:
    """The app's host, not started. It inherits this process's environment, except for storage.

    Args:
        port: where it listens.
        settings: the app's.
        app: the app's folder.
        reload_bot: the folder of the bot whose code is loaded anew when it changes, and whose
            requirements are installed when they change; None: neither.
        debugging: whether and where a debugger can attach.
    """
    environ = {
        name: value for name, value in os.environ.items() if name.partition("__")[0] != SETTING
    }
    # An empty value overrides local.settings.json: a local run uses its own storage, or none.
    environ |= {SETTING: "", **settings}
    if debugging.port is not None:
        # Else debugpy warns that it cannot stop in modules that are frozen into Python.
        environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    host = ["-m", "bot_workbench.emulator.functions", "--app", str(app), "--port", str(port)]
    if reload_bot is not None:
        install = [sys.executable, "-m", "bot_workbench", "setup", "--bot", str(reload_bot)]
        host += ["--reload", "--install", shlex.join(install)]
    host += debugging.for_host()
    return Child([sys.executable, *host], environ, APP)


async def wait_until_it_loads(url: str, child: Child) -> None:
    """Wait until a host that reloads has loaded the app, or has said why it does not load.

    Such a host listens at once, and answers its first request when it knows. So one request is
    enough, however long that takes.

    Raises:
        StartError: it ended.
    """
    ended = asyncio.create_task(child.wait())
    answered = asyncio.create_task(_first_answer(url))
    try:
        await asyncio.wait({ended, answered}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise StartError("The Functions host ended; its output above says why.")
    finally:
        ended.cancel()
        answered.cancel()


async def _first_answer(url: str) -> int:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
        while True:
            try:
                # With a trace id, as deliveries have: the host does not log such a request.
                async with session.get(url, headers={"traceparent": NO_TURN}) as answer:
                    return answer.status
            except aiohttp.ClientConnectionError:  # it does not listen yet
                await asyncio.sleep(0.1)


async def wait_until_it_answers(url: str, child: Child) -> None:
    """Wait until a child process answers 200 at a URL.

    Raises:
        StartError: it ended, or does not answer in time.
    """
    ended = asyncio.create_task(child.wait())
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS), aiohttp.ClientSession() as session:
            while not ended.done():
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise StartError(f"The program that serves {url} has ended; its output above says why.")
    except TimeoutError as error:
        raise StartError(f"{url} does not answer 200; see the log above.") from error
    finally:
        ended.cancel()
