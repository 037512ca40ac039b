"""Program: a command whose output a test reads."""

import os
import subprocess
from types import TracebackType


class Program(subprocess.Popen[str]):
    """A command. If the `with` block raises, it is killed; otherwise the block waits for its end.

    Popen's own context manager waits in both cases, for ever if nobody has ended the command.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)

    def line(self) -> str:
        """The next line that it prints.

        Raises:
            AssertionError: the program has ended.
        """
        assert self.stdout is not None
        line = self.stdout.readline()
        assert line, "the program has ended"
        return line


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
