"""Colors are for terminals that have some, and for people who want some."""

import io
import sys

import pytest

from bot_workbench.emulator.terminal.colors import has_colors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stream has no console")


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "has_some"),
    [
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_a_terminal(environ: dict[str, str], has_some: bool) -> None:
    """NO_COLOR and TERM are heeded."""
    assert has_colors(Terminal(), environ) is has_some


def test_no_terminal() -> None:
    """A file has none."""
    assert not has_colors(io.StringIO(), {"TERM": "xterm"})
