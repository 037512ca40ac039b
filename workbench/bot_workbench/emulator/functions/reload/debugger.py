"""Lets a debugger attach to the host, and then to each of its workers."""

from bot_workbench.emulator.functions.options import HostOptions
from bot_workbench.emulator.loopback import LOOPBACK


def accept_debugger(options: HostOptions) -> None:
    """Listen for a debugger, and wait for it, if the options say so.

    debugpy then attaches the debugger to every process that this one starts: the worker, and each
    one that replaces it. So breakpoints stay when code is saved.
    """
    if options.debug_port is None:
        return
    import debugpy

    debugpy.listen((LOOPBACK, options.debug_port))
    if options.debug_wait:
        debugpy.wait_for_client()
