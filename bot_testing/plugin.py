"""The pytest plug-in: the fixture `chat`, and what it is made of."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot_testing.app_functions import AppFunctions
from bot_testing.bot_modules import BotModules
from bot_testing.chat import Chat
from bot_testing.cloud_thread import CloudThread
from bot_testing.options import PROJECT_BOT, ChatOptions
from bot_testing.running_bot import RunningBot
from emulator.cloud import Cloud


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "chat(bot, user, channel, kind, turns, storage, credential, settings): which bot the "
        "fixture `chat` starts, and how: see docs/testing.md",
    )


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: tests run on uvloop, as bots in Azure do."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def local_clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Cloud]]:
    """Returns the local cloud for a credential; all tests share it."""
    started: dict[str, CloudThread] = {}
    with contextlib.ExitStack() as running:

        def started_for(credential: str) -> Cloud:
            if credential not in started:
                cloud = Cloud(tmp_path_factory.mktemp("cloud"), credential)
                started[credential] = running.enter_context(CloudThread(cloud))
            return started[credential].cloud

        yield started_for


@pytest.fixture(scope="session")
def bot_modules() -> BotModules:
    """The modules of the bots that were tested so far."""
    return BotModules()


@pytest.fixture(scope="session")
def app_functions(bot_modules: BotModules) -> AppFunctions:
    """The functions of function_app.py, whose import may import the project's bot."""
    with bot_modules.of(PROJECT_BOT):
        return AppFunctions()


@pytest.fixture
def chat_options(request: pytest.FixtureRequest) -> ChatOptions:
    """What `@pytest.mark.chat` sets; a test or a folder may override this fixture."""
    merged: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("chat"))):  # the closest one wins
        merged |= marker.kwargs
    return ChatOptions(**merged)


@pytest.fixture
def bot_folder(request: pytest.FixtureRequest, chat_options: ChatOptions) -> Path:
    """The folder of the bot that the test starts."""
    return chat_options.folder_for(request.path)


@pytest.fixture
async def running_bot(
    chat_options: ChatOptions,
    bot_folder: Path,
    local_clouds: Callable[[str], Cloud],
    bot_modules: BotModules,
    app_functions: AppFunctions,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RunningBot]:
    """The app, with the test's bot in it."""
    cloud = local_clouds(chat_options.credential)
    settings = {"BotTurns": chat_options.turns, **chat_options.settings}
    with bot_modules.of(bot_folder):
        bot = RunningBot(cloud, bot_folder, settings, app_functions, monkeypatch)
        yield bot
        await bot.close()


@pytest.fixture
def chat(running_bot: RunningBot, chat_options: ChatOptions) -> Chat:
    """A user in a new conversation with the bot."""
    options = chat_options
    return Chat(running_bot, options.user, options.channel, options.kind)
