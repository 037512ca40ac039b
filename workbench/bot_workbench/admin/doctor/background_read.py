"""BackgroundRead: a read of Azure in a thread of its own, beside others."""

import threading
from collections.abc import Callable

from bot_workbench.admin.azure.errors import AzureProblem, Forbidden
from bot_workbench.admin.migrate.status.parts.part import Part

MALFORMED = (LookupError, TypeError, ValueError, AttributeError)
"""The errors of a reader if an answer has another shape than Microsoft's reference says."""


class Unread(AzureProblem):
    """Something else that is needed could not be read."""


class BackgroundRead[Value]:
    """A read that begins at once. Its thread ends with the process, so that Ctrl-C need not wait
    for it.

    Args:
        title: what is read, for people: "the app settings".
        reader: reads it; it may wait for other reads.
        needs: the role that the account needs for it, for people.

    Attributes:
        title: as given.
        cure: what to do if it cannot be read.
    """

    def __init__(self, title: str, reader: Callable[[], Value], needs: str) -> None:
        self.title = title
        self.cure = "Run the command again."
        self._needs = needs
        self._part: Part[Value] = Part(None, "")
        self._is_done = threading.Event()
        threading.Thread(target=self._read, args=(reader,), daemon=True).start()

    @property
    def is_done(self) -> bool:
        """Whether it was read, or cannot be."""
        return self._is_done.is_set()

    @property
    def part(self) -> Part[Value]:
        """The result, or the reason why there is none; waits for it."""
        self._is_done.wait()
        return self._part

    @property
    def value(self) -> Value | None:
        """The result; None if there is none; waits for it."""
        return self.part.value

    def require(self) -> Value:
        """The result; waits for it.

        Raises:
            Unread: it was not read.
        """
        found = self.part
        if found.value is None:
            raise Unread(f"it needs {self.title}, which could not be read.")
        return found.value

    def _read(self, reader: Callable[[], Value]) -> None:
        try:
            self._part = Part(reader())
        except Forbidden as error:
            needed = f" It needs {self._needs}." if error.needs_role else ""
            role_cure = f"Give your account {self._needs}, or ask somebody who has it."
            self.cure = role_cure if error.needs_role else error.cure
            self._part = Part(None, f"{error.answer}{needed}")
        except AzureProblem as error:
            self._part = Part(None, str(error))
        except MALFORMED as error:
            # Not the error's text, which may quote what was read.
            self._part = Part(None, f"an answer has an unexpected shape ({type(error).__name__}).")
        finally:
            self._is_done.set()
