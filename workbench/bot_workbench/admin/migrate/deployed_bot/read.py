"""Read: a part of a deployed bot that was read beside others, or a reason why it was not."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property, partial
from typing import Any

from bot_workbench.admin.azure.errors import AzureProblem, NotReachable

MALFORMED = (LookupError, TypeError, ValueError, AttributeError)
"""The errors of a reader if an answer has another shape than Microsoft's reference says."""


class Unread(AzureProblem):
    """Something else that is needed could not be read."""


class Read[Value]:
    """A read that begins at once. It may wait for other reads, however many these are; and its
    thread ends with the process, so that Ctrl-C need not wait for it, as it would for a pool's.

    Args:
        title: what is read, for people: "the app settings".
        needs: the role that the account needs for it, for people.
        reader: reads it.

    Attributes:
        title, needs: as given.
    """

    def __init__(self, title: str, needs: str, reader: Callable[[], Value]) -> None:
        self.title, self.needs = title, needs
        self._found: Future[Value] = Future()
        threading.Thread(target=self._run, args=(reader,), daemon=True).start()

    @property
    def error(self) -> AzureProblem | None:
        """Why there is no result; None: there is one. Waits for it."""
        error = self._found.exception()
        if error is None or isinstance(error, AzureProblem):
            return error
        raise error

    @property
    def problem(self) -> str:
        """The same as a text, with what to do; empty: there is a result."""
        return str(self.error or "")

    @property
    def value(self) -> Value | None:
        """The result; None if there is none; waits for it."""
        return None if self.error else self._found.result()

    def require(self) -> Value:
        """The result; waits for it.

        Raises:
            Unread: it was not read.
        """
        if self.error:
            raise Unread(f"it needs {self.title}, which could not be read.")
        return self._found.result()

    def _run(self, reader: Callable[[], Value]) -> None:
        try:
            self._found.set_result(reader())
        except MALFORMED as error:
            self._found.set_exception(NotReachable(f"{malformed(error)}."))
        except BaseException as error:  # noqa: BLE001  # who waits for the result gets it
            self._found.set_exception(error)


def malformed(error: Exception) -> str:
    """What to say of one of MALFORMED: not its text, which may quote what was read."""
    return f"an answer has an unexpected shape ({type(error).__name__})"


def read[Value](
    title: str = "", needs: str = ""
) -> Callable[[Callable[[Any], Value]], cached_property[Read[Value]]]:
    """Make a method the reader of a part: the property of its name is the Read, which begins when
    somebody first asks for it.

    Args:
        title, needs: as those of Read.
    """

    def made(reader: Callable[[Any], Value]) -> cached_property[Read[Value]]:
        return cached_property(lambda owner: Read(title, needs, partial(reader, owner)))

    return made


def begin(*_: Read[Any]) -> None:
    """Begin reads before their results are needed: to name them is enough."""
