"""A part of a deployed bot is read beside others, or there is a reason why it is not."""

import threading

import pytest

from bot_workbench.admin.azure.errors import AzureProblem, NotFound, NotReachable
from bot_workbench.admin.migrate.deployed_bot.read import Read, Unread, read

WAIT_SECONDS = 30.0


class Parts:
    """Some parts, of which one needs another."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.times = 0

    @read("the first part")
    def first(self) -> str:
        """It may fail."""
        self.times += 1
        if self.error:
            raise self.error
        return "read"

    @read("the second part")
    def second(self) -> str:
        """It needs the first one."""
        return f"{self.first.require()} twice"


def test_a_part_is_read_once() -> None:
    """However often it is asked for."""
    parts = Parts()
    assert (parts.second.value, parts.first.value, parts.first.problem) == (
        "read twice",
        "read",
        "",
    )
    assert parts.times == 1


def test_parts_are_read_beside_each_other() -> None:
    """None waits until another one ends that it does not need."""
    both = threading.Barrier(2, timeout=WAIT_SECONDS)
    reads = [Read(f"part {number}", "", both.wait) for number in range(both.parties)]
    assert {each.value for each in reads} == {0, 1}


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (NotFound("it is not there"), NotFound, "it is not there"),
        (KeyError("a secret"), NotReachable, "an answer has an unexpected shape (KeyError)."),
    ],
)
def test_a_part_that_is_not_read(error: Exception, kind: type[AzureProblem], text: str) -> None:
    """The reason never quotes what was read; what needs the part is not read, either."""
    parts = Parts(error)
    assert parts.first.value is None
    assert isinstance(parts.first.error, kind)
    assert parts.first.problem == text
    assert isinstance(parts.second.error, Unread)
    assert parts.second.problem == "it needs the first part, which could not be read."


def test_an_error_of_the_code_is_none_of_azure() -> None:
    """Who waits for the part gets it, as if they had read the part themselves."""
    with pytest.raises(SystemExit):
        _ = Parts(SystemExit(1)).second.value
