"""FunctionsWorker: indexes an app and runs its functions, in this process."""

import sys
from pathlib import Path

import pytest
from aiohttp import ClientConnectorError

from bot_workbench.emulator.functions.errors import IndexingError, InvocationError
from bot_workbench.emulator.functions.server import FunctionsServer
from bot_workbench.emulator.functions.workers.protocol import TypedData
from bot_workbench.emulator.functions.workers.worker import FunctionsWorker
from tests.support.wire.host_client import HostClient

QUEUE_APP = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.queue_trigger(arg_name="message", queue_name="q", connection="Storage")
@app.queue_output(arg_name="out", queue_name="q2", connection="Storage")
async def take(message: func.QueueMessage, out: func.Out[str]) -> None:
    out.set(f"{message.id} {message.dequeue_count} {message.get_body().decode()}")
    if message.get_body() == b"bad":
        raise ValueError("refused")


@app.route(route="hello")
async def hello(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return func.HttpResponse(context.trace_context.Traceparent)
"""


@pytest.fixture
async def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FunctionsWorker:
    """A worker in this process; its app's module has a name of its own, since modules stay."""
    (tmp_path / "in_process_app.py").write_text(QUEUE_APP)
    monkeypatch.setenv("PYTHON_SCRIPT_FILE_NAME", "in_process_app.py")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "in_process_app", raising=False)
    loaded = FunctionsWorker(tmp_path, "v1")
    await loaded.load()
    return loaded


async def test_worker_serves_triggers_other_than_http(worker: FunctionsWorker) -> None:
    """A queue message goes in with its metadata, the outputs come out by binding name."""
    take = next(each for each in worker.functions if each.name == "take")
    assert take.trigger["type"] == "queueTrigger"
    assert take.trigger["queueName"] == "q"
    metadata = {"Id": TypedData(string="id1"), "DequeueCount": TypedData(json="2")}
    outputs = await worker.invoke(take, TypedData(string="m\u00e4h"), metadata)
    assert outputs == {"out": TypedData(string="id1 2 m\u00e4h")}


async def test_outputs_set_before_a_raise_are_lost(worker: FunctionsWorker) -> None:
    """A function that raises yields nothing but its trace."""
    take = next(each for each in worker.functions if each.name == "take")
    metadata = {"Id": TypedData(string="id1"), "DequeueCount": TypedData(json="2")}
    with pytest.raises(InvocationError, match="ValueError: refused"):
        await worker.invoke(take, TypedData(string="bad"), metadata)


async def test_functions_are_served_over_http(worker: FunctionsWorker) -> None:
    """HTTP functions alone are served, with the caller's `traceparent`."""
    server = FunctionsServer(worker)
    await server.start()
    async with HostClient(server.url) as client:
        headers = {"traceparent": "00-trace"}
        assert await client.answer("/v1/hello", headers=headers) == (200, "00-trace")
        assert (await client.answer("/v1/take"))[0] == 404
    await server.stop(0)
    async with HostClient(server.url) as client:
        with pytest.raises(ClientConnectorError):
            await client.answer("/v1/hello")


async def test_folder_without_an_app_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without function_app.py is refused with what it needs."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    worker = FunctionsWorker(tmp_path)
    with pytest.raises(IndexingError, match=r"it needs a function_app\.py"):
        await worker.load()
    assert worker.functions == ()
