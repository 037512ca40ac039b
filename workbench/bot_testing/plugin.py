"""The pytest plug-in: the fixture `chat`, and the fixtures that it uses."""

import asyncio
import contextlib
import dataclasses
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot_testing.app.app_functions import AppFunctions
from bot_testing.app.bot_modules import BotModules
from bot_testing.app.running_bot import RunningBot
from bot_testing.chat import Chat
from bot_testing.clocks.moved_time import MovedTime
from bot_testing.cloud.account_proxy import AccountProxy
from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_testing.cloud.faults import CloudFaults
from bot_testing.cloud.skill_process import skill_process
from bot_testing.options import PROJECT_BOT, ChatOptions, bot_beside, skill_beside
from bot_testing.surroundings import Surroundings
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import AZURITE

MODULES = pytest.StashKey[BotModules]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and create the record of bots' modules."""
    config.stash[MODULES] = BotModules()
    config.addinivalue_line(
        "markers",
        "chat(bot, user, channel, kind, turns, storage, credential, settings, skip_waits, "
        "turn_seconds): which bot the fixture `chat` starts, and how: see docs/testing.md",
    )


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Import a bot's tests with its folder as `bot_logic`: all styles of imports work in them.

    For a test beside a bot, pytest also imports the folder's `__init__.py`.
    """
    folder = bot_beside(collector.path) if isinstance(collector, pytest.File) else None
    if folder is None:
        return (yield)
    with collector.config.stash[MODULES].of(folder):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: tests run on uvloop, as bots in Azure do."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def local_clouds(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], CloudThread]]:
    """Returns the running local cloud for a credential, which all tests share."""
    started: dict[str, CloudThread] = {}
    with contextlib.ExitStack() as running:

        def started_for(credential: str) -> CloudThread:
            if credential not in started:
                cloud = Cloud(tmp_path_factory.mktemp("cloud"), credential)
                started[credential] = running.enter_context(CloudThread(cloud))
            return started[credential]

        yield started_for


@pytest.fixture(scope="session")
def azurite(pytestconfig: pytest.Config) -> Iterator[AzuriteAccounts]:
    """The emulator of Azure Storage, which tests share; it is installed if it is missing."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        ready(AZURITE)
    with AzuriteAccounts() as accounts:
        yield accounts


@pytest.fixture(scope="session")
def bot_modules(pytestconfig: pytest.Config) -> BotModules:
    """The modules of the bots that were tested so far."""
    return pytestconfig.stash[MODULES]


@pytest.fixture(scope="session")
def app_functions(bot_modules: BotModules) -> AppFunctions:
    """The functions of function_app.py, whose import may import the project's bot."""
    with bot_modules.of(PROJECT_BOT):
        return AppFunctions()


@pytest.fixture
def chat_options(request: pytest.FixtureRequest) -> ChatOptions:
    """The options of `@pytest.mark.chat`; a test or a folder may override this fixture."""
    merged: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("chat"))):  # the closest one wins
        merged |= marker.kwargs
    known = [each.name for each in dataclasses.fields(ChatOptions)]
    if wrong := ", ".join(sorted(merged.keys() - set(known))):
        message = f"@pytest.mark.chat has no option {wrong}; it has {', '.join(known)}"
        pytest.fail(message, pytrace=False)
    return ChatOptions(**merged)


@pytest.fixture
def bot_folder(request: pytest.FixtureRequest, chat_options: ChatOptions) -> Path:
    """The folder of the bot that the test starts."""
    return chat_options.folder_for(request.path)


@pytest.fixture
def local_cloud(
    chat_options: ChatOptions, local_clouds: Callable[[str], CloudThread]
) -> CloudThread:
    """The local cloud for the test's credential."""
    return local_clouds(chat_options.credential)


@pytest.fixture
def account_proxy(
    chat_options: ChatOptions, local_cloud: CloudThread, request: pytest.FixtureRequest
) -> Iterator[AccountProxy | None]:
    """A fresh storage account, if the test wants one."""
    if chat_options.storage == "memory":
        yield None
        return
    accounts: AzuriteAccounts = request.getfixturevalue("azurite")
    front = AccountProxy(accounts.fresh())
    local_cloud.do(front.start())
    yield front
    local_cloud.do(front.stop())


@pytest.fixture
async def skill_settings(
    bot_folder: Path, local_cloud: CloudThread, app_functions: AppFunctions, tmp_path: Path
) -> AsyncIterator[Mapping[str, str]]:
    """The bot's settings for its skill, which is running; empty if it has none."""
    skill = skill_beside(bot_folder)
    if skill is None:
        yield {}
        return
    folder = tmp_path / "skill"
    async with skill_process(local_cloud, skill, app_functions.skills, folder) as settings:
        yield settings


@pytest.fixture
async def running_bot(
    chat_options: ChatOptions,
    bot_folder: Path,
    local_cloud: CloudThread,
    account_proxy: AccountProxy | None,
    skill_settings: Mapping[str, str],
    bot_modules: BotModules,
    app_functions: AppFunctions,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RunningBot]:
    """The app, with the test's bot in it."""
    settings = {"BotTurns": chat_options.turns, **skill_settings, **chat_options.settings}
    if account_proxy is not None:
        settings["AzureWebJobsStorage"] = account_proxy.connection_string
    cloud = local_cloud.cloud
    with bot_modules.of(bot_folder):
        bot = RunningBot(cloud, bot_folder, settings, app_functions, bot_modules, monkeypatch)
        await bot.start()
        yield bot
        await bot.close()


@pytest.fixture
async def chat(
    running_bot: RunningBot,
    chat_options: ChatOptions,
    local_cloud: CloudThread,
    account_proxy: AccountProxy | None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Chat]:
    """A user in a new conversation with the bot."""
    options = chat_options
    bot = running_bot
    time = MovedTime(monkeypatch, bot.is_working, bot.is_answered, options.turn_seconds)
    storage = account_proxy.servers if account_proxy is not None else []
    faults = CloudFaults(running_bot.cloud.servers, storage)
    known = set(running_bot.cloud.conversations.by_id)
    waits = (options.skip_waits, options.turn_seconds)
    running_bot.cloud.model.reset()
    yield Chat(Surroundings(local_cloud, running_bot, time, faults, *waits, known), options)
    faults.clear()
    time.stop()
