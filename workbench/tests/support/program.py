"""Program: a command whose output a test reads."""

import os
import subprocess
import sys
from pathlib import Path
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
    """Whether there is such a process, which has not ended.

    Of one that has ended, and for which its parent has not waited yet, Linux keeps an entry. The
    parent of orphans is the reaper of `make test`, which waits for them in the end.
    """
    try:
        os.kill(pid, 0)
        if sys.platform != "linux":
            return True
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False
    return not stat.rpartition(") ")[2].startswith("Z")
