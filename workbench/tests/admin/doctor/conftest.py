"""A deployed bot, in a local Azure that this process's clients reach by its public names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.doctor.examined_bot import FEDERATED, ExaminedBot
from tests.support.azure.azure_thread import AzureThread


@pytest.fixture
def credential() -> str:
    """How the bot signs in."""
    return FEDERATED


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credential: str) -> Iterator[ExaminedBot]:
    """A bot that has nothing wrong."""
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        yield ExaminedBot(thread, credential)
