"""A recorded bot, with state in memory, or in Azurite."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.recording.feed_thread import FeedThread
from tests.support.recording.recorded_bot import APP, RecordedBot

FAULT = "The inspector could not record something"
"""A host's log line if an observer fails."""

StartBot = Callable[..., RecordedBot]
"""Starts a bot with the settings that are its arguments."""


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudThread]:
    """A local cloud of a module's own, whose channel is watched."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"))) as thread:
        yield thread


@pytest.fixture(scope="module")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app with the bot that the tests command."""
    return app_with(tmp_path_factory.mktemp("recorded") / "app", APP)


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedThread]:
    """A feed."""
    with FeedThread() as thread:
        yield thread


@pytest.fixture(scope="module")
def recorded(
    own_cloud: CloudThread, feed: FeedThread, app_folder: Path, logs: Path, host_loop: str
) -> Iterator[RecordedBot]:
    """The bot with its state in memory. In the end, its log has no trace of the recorder."""
    log = logs / f"recorded on {host_loop} {id(feed)}.log"
    settings = own_cloud.cloud.settings() | feed.settings
    with BotProcess(settings, log, app_folder, loop=host_loop) as bot:
        yield RecordedBot(own_cloud, bot.messages, feed)
    text = log.read_text()
    assert FAULT not in text
    assert "observer.py" not in text


@pytest.fixture
def start(
    own_cloud: CloudThread, feed: FeedThread, app_folder: Path, tmp_path: Path
) -> Iterator[StartBot]:
    """Starts bots. In the end, no observer has failed in any of them."""
    logs: list[Path] = []
    with ExitStack() as stack:

        def begin(**settings: str) -> RecordedBot:
            logs.append(tmp_path / f"bot {len(logs)}.log")
            given = own_cloud.cloud.settings() | feed.settings | settings
            process = stack.enter_context(BotProcess(given, logs[-1], app_folder))
            return RecordedBot(own_cloud, process.messages, feed)

        yield begin
    assert [log for log in logs if FAULT in log.read_text()] == []
