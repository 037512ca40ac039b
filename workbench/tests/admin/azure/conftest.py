"""A scripted service, and a clock that a test moves."""

from collections.abc import Iterator

import pytest

from tests.admin.azure.scripted_service import ScriptedService
from tests.admin.moved_clock import MovedClock


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    """A service that gives the test's answers."""
    monkeypatch.setenv("NO_PROXY", "*")
    with ScriptedService() as running:
        yield running


@pytest.fixture
def clock() -> MovedClock:
    """A clock that waits by moving."""
    return MovedClock()
