"""`python -m bot_workbench.emulator.functions`: a function app on this machine.

It runs until SIGINT or SIGTERM. The exit status is 1 if the host cannot start, or if --read-only
finds changes; otherwise 0.
"""

import asyncio
import logging
import os
import sys
from typing import NoReturn

from bot_workbench.emulator.functions.configuration import (
    TIMEOUT_SETTING,
    apply_settings,
    hide_project,
)
from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.host import serve
from bot_workbench.emulator.functions.host_log import HostLog, LostLineFile, worker_console
from bot_workbench.emulator.functions.options import UVLOOP, HostOptions
from bot_workbench.emulator.functions.reload.debugger import accept_debugger
from bot_workbench.emulator.functions.workers.lifeline import LifelineAddress


def main() -> None:
    """Read the command line and serve."""
    options = HostOptions.parse()
    lifeline = LifelineAddress.of(os.environ)
    os.environ.pop(LifelineAddress.SETTING, None)  # the app's processes do not inherit it
    if options.debug:
        os.environ[TIMEOUT_SETTING] = "-1"  # a debugger may hold any function
    environ = dict(os.environ)
    lost_log = [LostLineFile(options.lost_log)] if options.lost_log else []
    handlers = [HostLog(), worker_console(), *lost_log]
    logging.basicConfig(handlers=handlers, level=options.log_level)
    try:
        fault = settings_fault(options)
        if options.read_only:
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for the workers and their subprocesses
        hide_project()
        if lifeline is None:
            accept_debugger(options)
        # A debugger sees the processes that are started by asyncio's own loop only.
        if options.loop == UVLOOP and not (options.debug and lifeline is None):
            _use_uvloop()
        asyncio.run(serve(options, environ) if lifeline is None else work(options, lifeline, fault))
    except HostError as error:
        sys.exit(str(error))


def settings_fault(options: HostOptions) -> str:
    """Add the app's settings to the environment; why that failed, if the next save may cure it.

    Raises:
        HostError: it failed for good.
    """
    try:
        apply_settings(options.app, os.environ)
    except HostError as error:
        if not options.reload:
            raise
        return str(error)
    return ""


async def work(options: HostOptions, lifeline: LifelineAddress, fault: str) -> NoReturn:
    """Be a worker of the host at the other end of the lifeline.

    Args:
        options: the host's.
        lifeline: where the host is.
        fault: why the app cannot be loaded; empty: it may be.
    """
    from bot_workbench.emulator.functions.workers.program import WorkerProgram

    await WorkerProgram(options, fault).run(lifeline)


def _use_uvloop() -> None:
    """As Azure's worker does: loops that the app makes in threads use uvloop too."""
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


if __name__ == "__main__":
    main()
