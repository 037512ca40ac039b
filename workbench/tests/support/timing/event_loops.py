"""Which event loops the tests run on.

Azure's worker runs the app on uvloop, `func start` on Windows and macOS on asyncio's own loop. What
works on one may fail on the other: for example, `create_connection` takes different arguments.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bot_workbench.emulator.functions.options import ASYNCIO, UVLOOP

TESTS = (Path(__file__).parents[2], Path(__file__).parents[4] / "tests")


def _factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if sys.platform == "win32":
        return {ASYNCIO: asyncio.new_event_loop}
    import uvloop

    return {UVLOOP: uvloop.new_event_loop, ASYNCIO: asyncio.SelectorEventLoop}


FACTORIES = _factories()
"""Functions that create an event loop, by the loop's name."""

default = next(iter(FACTORIES))
"""The loop of bots that tests start, and of most tests; pytest's option `--loop` sets it."""

COMMANDS = (
    *("admin/", "app/", "app_package/", "commands/", "docs/", "emulator/", "maintenance/"),
    "setup/",
)
"""The beginnings of the paths of tests of commands: these run on asyncio's loop everywhere. On
uvloop, an aiohttp client that is cancelled while it connects leaves its socket to the garbage
collector."""

FUNCTIONS_HOST = "emulator/functions/"
"""The tests of what runs on the worker's loop."""

ON_EACH_LOOP = (
    "auth/certificates/",
    "auth/inbound/test_signing_keys",
    "auth/outbound/",
    "cloud_adapter/test_typing_indicator",
    "cloud_adapter/connector/",
    "cloud_adapter/adapter/",
    "cloud_adapter/storage/test_account",
    "emulator/functions/test_http_front",
    "emulator/recorder/test_turns",
    "emulator/functions/workers/test_upstream",
    "end_to_end/telemetry/test_one_trace",
    "end_to_end/turns/test_event_loop",
    "end_to_end/turns/test_messages",
    "http_client/",
)
"""The beginnings of the paths of tests of network code, which run on each loop; all others run on
one."""


def loops_of_tests(module: Path, only: str | None) -> list[str]:
    """The loops that a module's asynchronous tests run on.

    Args:
        module: the path of its file.
        only: the loop that `--loop` named, if any.
    """
    path = _path(module)
    if path.startswith(COMMANDS) and not path.startswith(FUNCTIONS_HOST):
        return [only or ASYNCIO]
    return loops_of_bots(module, only)


def loops_of_bots(module: Path, only: str | None) -> list[str]:
    """The loops of the bot processes that a module's tests start; the arguments are the same."""
    if only is not None:
        return [only]
    return list(FACTORIES) if _path(module).startswith(ON_EACH_LOOP) else [default]


def _path(module: Path) -> str:
    folder = next((each for each in TESTS if module.is_relative_to(each)), module.parent)
    return module.relative_to(folder).as_posix()
