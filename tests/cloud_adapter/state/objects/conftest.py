"""Fixtures of the tests of stored objects: a bot's folder, written by the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.written_bot import WrittenBot


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WrittenBot]:
    """The folder of a bot, whose classes state may hold."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    written = WrittenBot(tmp_path)
    yield written
    written.unload()
