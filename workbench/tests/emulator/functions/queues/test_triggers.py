"""Queue-triggered functions of an app in the emulated host."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.functions.queues.settings import QueueSettings
from bot_workbench.emulator.functions.queues.triggers import QueueTriggers
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.storage.azurite import Azurite, CertificateFiles
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.queue_app import QueueApp
from tests.support.storage.counting_function import stored
from tests.support.timing.condition import comes_true, until
from tests.support.wire.http_post import Caller


@pytest.fixture
def app(tmp_path: Path, storage: str) -> Iterator[QueueApp]:
    """An app whose messages have at most two attempts."""
    app = QueueApp(tmp_path, storage, {"maxDequeueCount": 2})
    yield app
    app.close()


def host(app: QueueApp, **settings: str) -> BotProcess:
    """The app in a host of its own."""
    return BotProcess(app.settings | settings, app.folder / "host.log", app.folder)


def test_function_gets_the_message_in_the_workers_types(app: QueueApp) -> None:
    """Body, dequeue count and times are as azure.functions.QueueMessage documents them."""
    app.send("gr\u00fc\u00df dich")
    with host(app):
        [seen] = app.until_seen("gr\u00fc\u00df dich")
        until(lambda: app.count(app.queue) == 0)
    assert seen["dequeue_count"] == 1
    assert seen["id"]
    assert seen["pop_receipt"]
    assert [kind for kind, _ in seen["times"]] == ["datetime"] * 3
    assert all(moment.endswith("+00:00") for _, moment in seen["times"])


def test_message_of_a_function_that_raises_is_moved(app: QueueApp) -> None:
    """After maxDequeueCount attempts the message is moved, and the traceback is logged."""
    app.send("bad")
    with host(app) as process:
        until(lambda: app.count(app.poison) == 1)
        until(lambda: app.count(app.queue) == 0)
        log = process.log.read_text()
    assert [each["dequeue_count"] for each in app.seen("bad")] == [1, 2]
    assert "ValueError: what the app says of it" in log
    assert "moved to work-poison" in log


def test_poison_queue_has_no_poison_queue(tmp_path: Path, storage: str) -> None:
    """A message of a poison queue that fails too often stays there, hidden."""
    app = QueueApp(tmp_path, storage, {"maxDequeueCount": 1})
    app.poison.create_queue()
    app.poison.send_message(base64.b64encode(b"bad").decode())
    with host(app, QueueName="work-poison") as process:
        app.until_seen("bad")
        until(lambda: "ValueError" in process.log.read_text())
    assert "moved to" not in process.log.read_text()
    assert app.count(app.poison) == 1
    app.close()


async def test_managed_identity_opens_the_queue(tmp_path: Path) -> None:
    """Without a key in its settings the host uses the app's managed identity, over TLS."""
    cloud = Cloud(tmp_path)
    azurite = Azurite(certificate=CertificateFiles(*cloud.authority.server_files()))
    await cloud.start()
    await azurite.start()
    app_folder = tmp_path / "app"
    app_folder.mkdir()
    try:
        await asyncio.to_thread(run_with_identity, app_folder, cloud, azurite)
    finally:
        await azurite.stop()
        await cloud.stop()


def run_with_identity(folder: Path, cloud: Cloud, azurite: Azurite) -> None:
    """Let the host run a message of a storage account that it accesses with a token."""
    connection = azurite.connection_string()
    app = QueueApp(folder, connection, certificate=cloud.authority.path)
    del app.settings["AzureWebJobsStorage"]
    identity = {
        "AzureWebJobsStorage__queueServiceUri": azurite.queue_url(),
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": cloud.user_assigned,
    }
    app.send("by identity")
    with host(app, **cloud.settings(), **identity):
        app.until_seen("by identity")
        until(lambda: app.count(app.queue) == 0)
    app.close()


def test_app_without_its_storage_serves_http(app: QueueApp) -> None:
    """Without the setting the function is in error, one line names the setting, others run."""
    with host(app, AzureWebJobsStorage="") as process:
        caller = Caller(process.url)
        assert caller.send("GET", "/api/pid", []).status == 200
        caller.close()
        log = process.log.read_text()
    assert log.count("The 'take' function is in error: set AzureWebJobsStorage") == 1


@pytest.mark.parametrize("name", ["AzureWebJobs.take.Disabled", "AzureWebJobs_take_Disabled"])
def test_disabled_function(app: QueueApp, name: str) -> None:
    """A function that a setting disables gets no messages; the app's others run."""
    app.send("not yet")
    with host(app, **{name: "True"}) as process:
        caller = Caller(process.url)
        for _ in range(50):  # each takes about as long as a poll
            assert caller.send("GET", "/api/pid", []).status == 200
        caller.close()
        assert "Function take is disabled" in process.log.read_text()
    [message] = app.queue.peek_messages()
    assert message.dequeue_count == 0


@pytest.mark.parametrize("text", ["endless", "blocking"])
def test_host_stops_while_a_message_runs(app: QueueApp, text: str) -> None:
    """SIGTERM stops the host although a message runs; the message stays in the queue, hidden."""
    app.send(text)
    with host(app) as process:
        app.until_seen(text)
    assert process.returncode == 0
    assert app.count(app.queue) == 1


def queue_function(name: str, **trigger: str) -> Function:
    """A function with a queue trigger, as the worker reports it."""
    binding = {"type": "queueTrigger", "name": "message", **trigger}
    return Function(name, name, (binding,))


NOT_A_QUEUE_NAME = "is not a queue name: 3 to 63 lowercase letters and digits, with single hyphens"
IN_ERROR: Mapping[str, tuple[dict[str, str], str]] = {
    "missing setting": (
        {"queueName": "%NOPE%"},
        "its queueName names the setting NOPE, which is missing",
    ),
    "characters": ({"queueName": "Bad_Queue!"}, f"'bad_queue!' {NOT_A_QUEUE_NAME}"),
    "hyphens": ({"queueName": "a--b"}, f"'a--b' {NOT_A_QUEUE_NAME}"),
    "hyphen at the end": ({"queueName": "work-"}, f"'work-' {NOT_A_QUEUE_NAME}"),
    "too short": ({"queueName": "ab"}, f"'ab' {NOT_A_QUEUE_NAME}"),
    "too long": ({"queueName": "a" * 64}, NOT_A_QUEUE_NAME),
    "no connection": ({"connection": "Nowhere"}, "set Nowhere to a connection string"),
    "junk connection": ({"connection": "Junk"}, "Junk is not a storage connection string"),
}


@pytest.mark.parametrize(("trigger", "reason"), IN_ERROR.values(), ids=IN_ERROR)
async def test_function_in_error(
    storage: str, trigger: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A function whose queue is unknown or invalid is named in one line, and all others run."""
    right = {"queueName": "Work", "connection": "AzureWebJobsStorage"}
    functions = [queue_function("wrong", **right | trigger), queue_function("good", **right)]
    ran: list[str] = []

    async def invoke(function: Function, *_: object) -> None:
        ran.append(function.name)

    environ = {"AzureWebJobsStorage": storage, "Junk": "junk"}
    triggers = QueueTriggers(functions, QueueSettings(max_polling_interval=0.1), environ, invoke)
    async with QueueClient.from_connection_string(storage, "work") as queue:
        await queue.create_queue()
        await queue.send_message(stored("x"))
        triggers.start()
        await comes_true(lambda: ran == ["good"])
        await triggers.stop(1)
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].startswith("The 'wrong' function is in error: ")
    assert reason in errors[0]
