"""What the tests of the sample bot share: the app and the bot process have this bot."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot_logic import create_bot
from bot_testing.cloud.cloud_thread import CloudThread
from emulator.cloud import Cloud
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.bots.composed_app import ComposedApp


@pytest.fixture
async def app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    """The composed app in this process."""
    async with ComposedApp(cloud, monkeypatch, create_bot=create_bot) as app:
        yield app


@pytest.fixture(scope="session")
def bot(running_cloud: CloudThread, logs: Path) -> Iterator[BotProcess]:
    """The bot in front of the shared local cloud."""
    with BotProcess(running_cloud.cloud.settings(), logs / "sample bot.log", APP) as process:
        yield process
