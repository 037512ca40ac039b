"""Fixtures of the tests of bots' folders: an app with a bot that a test has written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.wire.http_post import Caller


@dataclass
class OwnBot:
    """A running app with a test's bot.

    Attributes:
        folder: `bot_logic`.
        process: the host.
        user: somebody who talks to it.
    """

    folder: Path
    process: BotProcess
    user: User

    @property
    def log(self) -> str:
        """What the host has logged so far."""
        return self.process.log.read_text()


StartBot = Callable[[Mapping[str, str]], AbstractContextManager[OwnBot]]


@pytest.fixture
def start_bot(request: pytest.FixtureRequest, tmp_path: Path, cloud: Cloud, logs: Path) -> StartBot:
    """Starts the app with a bot whose files are given by their paths in the bot's folder."""

    @contextmanager
    def start(files: Mapping[str, str]) -> Iterator[OwnBot]:
        own = {f"bot_logic/{name}": content for name, content in files.items()}
        app = app_with(tmp_path / "app", own)
        settings = cloud.settings() | {"OwnSetting": "a value"}
        log = logs / f"{request.node.name}.log"
        with BotProcess(settings, log, app) as process, closing(Caller(process.url)) as caller:
            yield OwnBot(app / "bot_logic", process, User(cloud, caller))

    return start
