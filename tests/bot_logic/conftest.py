"""What the tests of the sample bot share: the bot process has this bot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from tests.support.bots.bot_process import APP, BotProcess


@pytest.fixture(scope="session")
def bot(running_cloud: CloudThread, logs: Path) -> Iterator[BotProcess]:
    """The bot in front of the shared local cloud."""
    with BotProcess(running_cloud.cloud.settings(), logs / "sample bot.log", APP) as process:
        yield process
