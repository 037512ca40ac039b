"""Debugging: how a debugger reaches the bot in a local run."""

import asyncio
from dataclasses import dataclass

from bot_workbench.emulator.loopback import may_listen


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
    def chosen(cls, *, debug: bool, wait: bool, port: int) -> "Debugging":
        """The debugging that a command line asks for."""
        return cls(port if debug or wait else None, wait)

    def for_host(self) -> list[str]:
        """The options of the workbench's Functions host."""
        if self.port is None:
            return []
        return ["--debug-port", str(self.port)] + ["--debug-wait"] * self.waits

    def ports(self) -> dict[str, int]:
        """The port that must be free, by the name that sets it."""
        return {} if self.port is None else {"DEBUG_PORT": self.port}

    async def announce(self) -> None:
        """Say that the bot waits for a debugger, once one can attach."""
        if self.port is not None and self.waits:
            # Without connecting: debugpy takes the first connection for the debugger's.
            while may_listen(self.port):  # noqa: ASYNC110  # another process gives no sign
                await asyncio.sleep(0.1)
            print(f"Waiting for a debugger at port {self.port} ...", flush=True)


NO_DEBUGGER = Debugging()
