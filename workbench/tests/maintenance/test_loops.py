"""Which event loops the tests run on."""

import pytest

from tests.support.timing.event_loops import COMMANDS, FUNCTIONS_HOST, ON_EACH_LOOP, TESTS

PATHS = {file.relative_to(folder).as_posix() for folder in TESTS for file in folder.rglob("*.py")}


@pytest.mark.parametrize("beginning", [*COMMANDS, FUNCTIONS_HOST, *ON_EACH_LOOP])
def test_a_beginning_is_that_of_a_test(beginning: str) -> None:
    """A renamed test still runs on the loops that were chosen for it."""
    assert any(path.startswith(beginning) for path in PATHS)
