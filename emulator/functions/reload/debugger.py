"""Lets a debugger connect to the host, which its workers then follow, one after the other."""

from emulator.functions.options import HostOptions
from emulator.loopback import LOOPBACK


def accept_debugger(options: HostOptions) -> None:
    """Listen for a debugger, if it is asked for, and wait for it, if that is asked for too.

    debugpy then takes every process that this one starts to the debugger: the worker, and each one
    that replaces it. So breakpoints stay, whatever is saved.
    """
    if options.debug_port is None:
        return
    import debugpy

    debugpy.listen((LOOPBACK, options.debug_port))
    if options.debug_wait:
        debugpy.wait_for_client()
