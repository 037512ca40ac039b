"""Functions of a host that have other triggers than HTTP, and how they are run by hand."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller, Reply

KEY = "a-key-for-tests"

APP = """
import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def note(**seen):
    with open(os.environ["Seen"], "a") as file:
        file.write(json.dumps({"pid": os.getpid(), **seen}) + "\\n")


@app.timer_trigger(schedule="%Often%", arg_name="timer", run_on_startup=True)
async def at_start(timer: func.TimerRequest) -> None:
    note(name="at_start", kind=type(timer).__name__, **timer.to_dict())


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer")
def seldom(timer: func.TimerRequest) -> None:
    note(name="seldom", **timer.to_dict())


@app.timer_trigger(schedule="every day", arg_name="timer")
def never(timer: func.TimerRequest) -> None:
    raise LookupError("what the app says of it")


@app.timer_trigger(schedule="%Missing%", arg_name="timer")
def unset(timer: func.TimerRequest) -> None:
    note(name="unset")


@app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
async def take(message: func.QueueMessage) -> None:
    note(name="take", text=message.get_body().decode())


@app.blob_trigger(arg_name="blob", path="files/{name}", connection="AzureWebJobsStorage")
async def read(blob: func.InputStream) -> None:
    note(name="read", text=blob.read().decode())


@app.event_hub_message_trigger(arg_name="event", event_hub_name="hub", connection="Hub")
async def hear(event: func.EventHubEvent) -> None:
    note(name="hear")


@app.route(route="echo")
@app.queue_output(arg_name="out", queue_name="work", connection="AzureWebJobsStorage")
async def echo(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    out.set("never seen")
    note(name="echo")
    return func.HttpResponse("echo")
"""


class TriggeredApp:
    """A running host with that app.

    Args:
        process: the host.
        seen: the file with the app's records.
    """

    def __init__(self, process: BotProcess, seen: Path) -> None:
        self.process = process
        self._seen = seen

    def records(self) -> list[dict[str, object]]:
        """All records, in their order."""
        return [json.loads(line) for line in self._seen.read_text().splitlines()]

    def seen(self, name: str) -> list[dict[str, object]]:
        """The records of one function."""
        return [record for record in self.records() if record["name"] == name]

    def until_logged(self, text: str) -> None:
        """Wait for a text in the host's log."""
        until(lambda: text in self.process.log.read_text())

    def run(
        self,
        name: str,
        body: bytes = b"{}",
        key: str = KEY,
        method: str = "POST",
        content_type: str = "application/json; charset=utf-8",
    ) -> Reply:
        """The answer to a request to run a function now."""
        headers = [("x-functions-key", key)] if key else []
        headers += [("content-type", content_type)] if content_type else []
        with closing(Caller(self.process.url)) as caller:
            return caller.send(method, f"/admin/functions/{name}", headers, body)


@pytest.fixture(scope="module", params=[(), ("--workers", "2")], ids=["alone", "workers"])
def app(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[TriggeredApp]:
    """The app in a host with keys, without a storage."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "function_app.py").write_text(APP)
    seen = folder.with_name(f"{folder.name}.jsonl")
    seen.touch()
    settings = {"Seen": str(seen), "Often": "0 0 0 1 1 *", "WEBSITE_TIME_ZONE": "Asia/Tokyo"}
    options = ("--function-key", "of functions", "--master-key", KEY, *request.param)
    log = folder.with_name(f"{folder.name}.log")
    with BotProcess(settings, log, folder, options) as process:
        yield TriggeredApp(process, seen)


def test_timer_runs_once_for_all_workers(app: TriggeredApp) -> None:
    """A run of a timer is one invocation, whose value is of the worker's type."""
    app.until_logged("Timer at_start ran")
    app.until_logged("Timer seldom: next at ")
    [seen] = app.seen("at_start")
    assert seen["kind"] == "TimerRequest"
    assert (seen["past_due"], seen["schedule"]) == (False, {"AdjustForDST": True})


FAULTS = (
    "The 'never' function is in error: the schedule 'every day' is neither",
    "The 'unset' function is in error: its schedule names the setting Missing",
    "WEBSITE_TIME_ZONE is ignored: timers run in UTC",
    "Timers run here, but would not run in Azure: set AzureWebJobsStorage",
    "The 'take' function is in error: set AzureWebJobsStorage",
    "Function read is not triggered here, because this host has no blobTrigger."
    " POST /admin/functions/read runs it.",
    "Function hear is not triggered here, because this host has no eventHubTrigger.",
    "Function echo: its binding out has no effect here, because this host has no queue.",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_host_cannot_do_is_logged(app: TriggeredApp, fault: str) -> None:
    """The host starts all the same, and one line names each function that it does not run."""
    assert app.process.log.read_text().count(fault) == 1


def test_run_by_hand(app: TriggeredApp) -> None:
    """The answer is 202; a function gets the input as its trigger's value, in any case of name."""
    assert app.run("take", b'{"input": "gr\\u00fc\\u00df dich"}').status == 202
    assert app.run("READ", b'{"input": "a blob"}').status == 202
    assert app.run("seldom", b'{"input": "x"}').status == 202
    until(lambda: all(app.seen(name) for name in ("take", "read", "seldom")))
    assert app.seen("take")[0]["text"] == "gr\u00fc\u00df dich"
    assert app.seen("read")[0]["text"] == "a blob"
    assert not app.seen("seldom")[0]["past_due"]


def test_failure_by_hand_is_logged(app: TriggeredApp) -> None:
    """A function that raises, or that needs an input, fails in the log only."""
    assert app.run("never").status == 202
    assert app.run("take").status == 202
    app.until_logged("LookupError: what the app says of it")
    app.until_logged("take failed: ")


def test_request_that_runs_nothing(app: TriggeredApp) -> None:
    """An unknown name, a function with a URL, or another method, body or key runs nothing."""
    app.until_logged("Timer at_start ran")  # it writes a record, also if no test ran before this
    before = app.records()
    assert app.run("other").status == 404
    assert app.run("take", method="GET").status == 404
    assert app.run("echo").status == 400
    for body in (b"", b"x", b"[]", b'"x"', b'{"input": 1}', b'{"input": {}}'):
        assert app.run("read", body).status == 400
    for content_type in ("", "text/plain", "application/x-www-form-urlencoded"):
        assert app.run("seldom", content_type=content_type).status == 415
    for key in ("", "wrong", "of functions"):
        assert app.run("seldom", key=key).status == 401
    assert app.run("seldom").status == 202
    until(lambda: len(app.records()) > len(before))
    assert [each["name"] for each in app.records()[len(before) :]] == ["seldom"]
