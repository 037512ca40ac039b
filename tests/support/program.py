"""Program: a command whose output a test reads."""

import subprocess
from types import TracebackType


class Program(subprocess.Popen[str]):
    """A command that is killed if the test fails while it runs, and waited for if it does not.

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
            AssertionError: it has ended.
        """
        assert self.stdout is not None
        line = self.stdout.readline()
        assert line, "it has ended"
        return line
