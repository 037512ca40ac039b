"""Which event loops the tests run on.

Azure's worker runs the app on uvloop, `func start` on Windows and macOS on asyncio's own loop. What
works on one may fail on the other: for example, `create_connection` takes different arguments.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from emulator.functions.options import ASYNCIO, UVLOOP

TESTS = Path(__file__).parents[2]


def _factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if sys.platform == "win32":
        return {ASYNCIO: asyncio.new_event_loop}
    import uvloop

    return {UVLOOP: uvloop.new_event_loop, ASYNCIO: asyncio.SelectorEventLoop}


FACTORIES = _factories()
"""Functions that create an event loop, by the loop's name."""

default = next(iter(FACTORIES))
"""The default loop of tests and of the bots that they start; pytest's option `--loop` sets it."""

ON_EACH_LOOP = (
    "auth/certificates/",
    "auth/inbound/test_signing_keys",
    "auth/outbound/",
    "cloud_adapter/bot/test_typing_indicator",
    "cloud_adapter/connector/",
    "cloud_adapter/adapter/",
    "cloud_adapter/storage/test_account",
    "emulator/functions/test_http_front",
    "emulator/functions/workers/test_upstream",
    "end_to_end/telemetry/test_one_trace",
    "end_to_end/turns/test_event_loop",
    "end_to_end/turns/test_messages",
    "http_client/",
)
"""How the paths of tests of network code begin, which run on each loop; all others run on one."""


def loops_for(module: Path, only: str | None) -> list[str]:
    """The loops that a test module runs on.

    Args:
        module: the path of its file.
        only: the loop that `--loop` named, if any.
    """
    if only is not None:
        return [only]
    each = module.relative_to(TESTS).as_posix().startswith(ON_EACH_LOOP)
    return list(FACTORIES) if each else [default]
