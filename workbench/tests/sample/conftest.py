"""Tests of this repository's sample bot that its author would not keep.

They start processes and browsers, count calls, and hold the sample to this repository's rules, with
what only the workbench's tests have. They know what the sample says, as otherwise only
`tests/bot_logic` does: where another bot has taken its place, and its tests are gone, none of them
is collected.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from tests.support.bots.bot_process import BotProcess
from tests.support.project import ROOT

IS_SAMPLE = (ROOT / "tests" / "bot_logic" / "test_spoken_text.py").exists()


def pytest_ignore_collect() -> bool | None:
    """Collect the folder's tests only if the bot is the sample."""
    return None if IS_SAMPLE else True


@pytest.fixture(scope="session")
def bot(running_cloud: CloudThread, logs: Path) -> Iterator[BotProcess]:
    """The sample bot in front of the shared local cloud."""
    with BotProcess(running_cloud.cloud.settings(), logs / "sample bot.log", ROOT) as process:
        yield process
