"""A bot to migrate, in a local Azure that this process's clients reach by its public names."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.migrate.migration import Migration
from tests.admin.moved_clock import MovedClock
from tests.support.azure.azure_thread import AzureThread


@pytest.fixture
def app_type() -> str:
    """The old bot's type."""
    return "SingleTenant"


@pytest.fixture
def migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app_type: str
) -> Iterator[Migration]:
    """A bot with a secret, and a Function App without settings; a wait moves everybody's time."""
    clock = MovedClock()
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        thread.azure.directory.clock = lambda: time.time() + clock.now()
        yield Migration(thread, app_type, clock)
