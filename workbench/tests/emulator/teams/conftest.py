"""Fixtures of the tests of the Teams channel: the deployed adapter in front of a local cloud."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage
from tests.support.bots.composed_app import ComposedApp


@pytest.fixture(scope="module")
def manifest_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app's manifest would be: there is none."""
    return tmp_path_factory.mktemp("app") / "manifest.json"


@pytest.fixture(scope="module")
def running_cloud(
    tmp_path_factory: pytest.TempPathFactory, manifest_path: Path
) -> Iterator[CloudThread]:
    """A cloud of a module's own: its tests change how long it holds deliveries."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"), manifest=manifest_path)) as thread:
        yield thread


@pytest.fixture
async def bot(app: ComposedApp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AdaptedBot]:
    """The bot, where the channel delivers to."""
    bot = AdaptedBot(app)
    async with bot.server:
        endpoint = f"{bot.server.url}/api/messages"
        monkeypatch.setattr(app.cloud.channel, "bot_endpoint", endpoint)
        yield bot


@pytest.fixture
async def pages(cloud: Cloud) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the pages' server."""
    async with aiohttp.ClientSession(cloud.pages.url) as session:
        yield session


@pytest.fixture
async def page(pages: aiohttp.ClientSession, bot: AdaptedBot) -> AsyncIterator[TeamsPage]:
    """A new tab, which has been greeted."""
    page = await TeamsPage.opened(pages)
    await page.connect()
    await bot.wait_for("installationUpdate")
    await bot.wait_for("conversationUpdate")
    bot.activities.clear()
    yield page
    await page.close()


@pytest.fixture
async def connector(cloud: Cloud) -> AsyncIterator[ConnectorCaller]:
    """Calls the Bot Connector as the bot."""
    async with ConnectorCaller(cloud) as caller:
        yield caller
