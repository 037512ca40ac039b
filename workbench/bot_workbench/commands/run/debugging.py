"""Debugging: how a debugger reaches the bot in a local run."""

import argparse
import asyncio
from dataclasses import dataclass

from bot_workbench.emulator.loopback import may_listen, port_number


def add_debug_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that a debugger may attach to: `debug_port` and `debug_wait`."""
    parser.add_argument("--debug-port", type=port_number, help="where a debugger connects")
    parser.add_argument(
        "--debug-wait", action="store_true", help="wait for the debugger before the bot is loaded"
    )


@dataclass(frozen=True)
class Debugging:
    """A debugger may attach, and hold turns for any length of time.

    Attributes:
        port: where it attaches; None: it cannot.
        waits: the bot waits for it before its code is loaded.
    """

    port: int | None = None
    waits: bool = False

    @classmethod
    def chosen(cls, options: argparse.Namespace) -> "Debugging":
        """What the options of `add_debug_options` say."""
        return cls(options.debug_port, options.debug_wait)

    def for_host(self) -> list[str]:
        """The options of the emulator's Functions host."""
        if self.port is None:
            return []
        return ["--debug-port", str(self.port)] + ["--debug-wait"] * self.waits

    async def announce(self) -> None:
        """Say that the bot waits for a debugger, once one can attach."""
        if self.port is not None and self.waits:
            # Without connecting: debugpy takes the first connection for the debugger's.
            while may_listen(self.port):  # noqa: ASYNC110  # another process gives no sign
                await asyncio.sleep(0.1)
            print(f"Waiting for a debugger at port {self.port} ...", flush=True)


NO_DEBUGGER = Debugging()
