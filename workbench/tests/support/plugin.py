"""Fixtures of tests: a local cloud, the bot in front of it, and activities to send."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.commands import package
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import uploaded_app
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.composed_app import ComposedApp
from tests.support.extended import FOLDERS, in_extended_folder, is_extended
from tests.support.test_bot import NO_TYPING
from tests.support.timing import event_loops
from tests.support.timing.event_loops import FACTORIES, loops_of_bots, loops_of_tests
from tests.support.wire.http_post import Caller

with contextlib.chdir("."):
    # Before a test does so: a bot with routes.py makes its folder the working directory.
    import function_app  # noqa: F401

STARTED_FIRST = (
    "test_soak.py",
    "test_played_deployment.py",
    "test_certificate_route.py",
    "test_managed_identity_route.py",
    "test_federated_route.py",
    "test_failed_sign_in.py",
    "test_killed_workers.py",
    "test_cut_off_turns.py",
    "test_queued_turns.py",
    "test_storage_requests.py",
    "test_burst.py",
)
"""Files that take a minute: all workers would wait for one that came last."""

ELSEWHERE = {
    "extended": "make test ALL=1",
    "timed": "make test ALL=1",
    "last": "make test ALL=1",
    "az": "make runbooks",
    "collector": "make collector",
}
"""The commands that run the tests with a mark that others leave out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options that make's commands and developers set."""
    parser.addoption(
        "--loop",
        choices=list(FACTORIES),
        help="the event loop of every test; without it tests.support.timing.event_loops chooses",
    )
    parser.addoption(
        "--logs",
        type=Path,
        help="the folder that bots log to, for runs whose logs are searched together; it is not "
        "emptied. Without it each run has one of its own",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The option also chooses the event loop of the bots that tests start."""
    event_loops.default = config.getoption("loop") or event_loops.default


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of the extended folders."""
    if in_extended_folder(item.path):
        item.add_marker(pytest.mark.extended)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no extended file in a run without these: it may need packages that are missing."""
    return ("extended" in _left_out(config) and is_extended(collection_path)) or None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what `make test` leaves out, and the commands that run it."""
    marks = _left_out(config)
    if "extended" not in marks:
        return
    terminalreporter.section("not run here")
    for command in dict.fromkeys(ELSEWHERE[mark] for mark in marks):
        named = (mark for mark in marks if ELSEWHERE[mark] == command)
        terminalreporter.line(f"{command}: the tests marked {', '.join(named)}")
    terminalreporter.line(f"In these folders, all tests are extended: {', '.join(FOLDERS)}")


def _left_out(config: pytest.Config) -> list[str]:
    """The marks whose tests the run leaves out."""
    words = config.getoption("markexpr").split(" and ")
    return [word.removeprefix("not ") for word in words if word.startswith("not ")]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: the event loops that an asynchronous test runs on, one by one."""
    return {name: FACTORIES[name] for name in loops_of_tests(item.path, config.getoption("loop"))}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses `host_loop` once for each event loop of its bot."""
    if "host_loop" in metafunc.fixturenames:
        module = metafunc.definition.path
        loops = loops_of_bots(module, metafunc.config.getoption("loop"))
        ids = loops if len(loops) > 1 else [pytest.HIDDEN_PARAM]
        metafunc.parametrize("host_loop", loops, ids=ids, scope="session")


@pytest.fixture(scope="session")
def run_logs(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the logs of the whole run, in which each worker of xdist has its own."""
    found: Path = pytestconfig.getoption("logs") or tmp_path_factory.mktemp("logs")
    return found.absolute()


@pytest.fixture(scope="session")
def logs(run_logs: Path, worker_id: str) -> Path:
    """The folder that every bot process of this worker logs to."""
    folder = run_logs / worker_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app that would be uploaded, with the bot of the base's tests."""
    return uploaded_app(tmp_path_factory.mktemp("uploaded"))


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory, uploaded: Path) -> Path:
    """The folder with the package of this app; its zip is beside it."""
    folder = tmp_path_factory.mktemp("artifacts") / "package"
    package.build(uploaded, folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_log(logs: Path) -> Iterator[None]:
    """What is logged in the tests' own process goes to that folder too."""
    handler = logging.FileHandler(logs / "pytest.log")
    handler.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    handler.close()


@pytest.fixture
def storage(azurite: AzuriteAccounts) -> str:
    """The connection string of an account that only this test uses."""
    return azurite.fresh()


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """A private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    """Another one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudThread]:
    """A local cloud for a bot with a managed identity, shared by tests that leave it healthy."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"))) as thread:
        yield thread


@pytest.fixture
def cloud(running_cloud: CloudThread) -> Cloud:
    """The shared local cloud itself."""
    return running_cloud.cloud


@pytest.fixture(scope="session")
def bot(running_cloud: CloudThread, logs: Path, host_loop: str) -> Iterator[BotProcess]:
    """The bot in front of the shared local cloud."""
    cloud = running_cloud.cloud
    log = logs / f"bot on {host_loop}.log"
    with BotProcess(cloud.settings() | NO_TYPING, log, loop=host_loop) as process:
        cloud.channel.bot_endpoint = process.messages
        yield process


@pytest.fixture
def caller(bot: BotProcess) -> Iterator[Caller]:
    """A connection to the bot."""
    caller = Caller(bot.url)
    yield caller
    caller.close()


@pytest.fixture
def app_settings() -> Mapping[str, str]:
    """Settings of `app` that differ from the cloud's own: a folder or a file has others."""
    return {}


@pytest.fixture
async def app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, app_settings: Mapping[str, str]
) -> AsyncIterator[ComposedApp]:
    """The composed app in this process, in front of the shared local cloud."""
    async with ComposedApp(cloud, monkeypatch, app_settings) as app:
        yield app


@pytest.fixture
def message(cloud: Cloud) -> dict[str, Any]:
    """A user's message, as the channel sends it, in a conversation that the connector knows."""
    user = {"id": "user-1", "name": "Ada", "role": "user"}
    recipient = {"id": cloud.registration.app_id, "name": "Bot", "role": "bot"}
    conversation = cloud.conversations.create([user, recipient])
    return {
        "type": "message",
        "id": uuid.uuid4().hex,
        "timestamp": "2026-01-01T10:00:00.1234567Z",
        "channelId": "webchat",
        "serviceUrl": f"{cloud.connector.server.url}/",
        "from": user,
        "recipient": recipient,
        "conversation": {"id": conversation.id},
        "text": "hello",
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take longest; end with the search of what all have logged."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, int]:
    """Where a test stands in the order of the run."""
    places = {name: number for number, name in enumerate(STARTED_FIRST)}
    return item.path.name == "test_logs.py", places.get(item.path.name, len(places))
