"""Debugging: how a debugger reaches the bot in a local run."""

from dataclasses import dataclass

from emulator.loopback import LOOPBACK

NO_WARNING = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""debugpy warns that it cannot stop in modules that are frozen into Python: nobody wants to."""


@dataclass(frozen=True)
class Debugging:
    """A debugger may hold turns, as long as it likes.

    Attributes:
        port: where it connects; None: it has started the run itself.
        waits: the bot waits for it before its code is loaded.
    """

    port: int | None = None
    waits: bool = False

    def for_host(self) -> list[str]:
        """The options of the emulator's Functions host."""
        if self.port is None:
            return ["--debug"]
        return ["--debug-port", str(self.port)] + ["--debug-wait"] * self.waits

    def environ(self) -> dict[str, str]:
        """The environment of either host; Core Tools start their worker with words that it has.

        Source: Azure Functions Python worker, "languageWorkers__python__arguments".
        """
        if self.port is None:
            return NO_WARNING
        words = ["-m", "debugpy", "--listen", f"{LOOPBACK}:{self.port}"]
        words += ["--wait-for-client"] * self.waits
        return {**NO_WARNING, "languageWorkers__python__arguments": " ".join(words)}
