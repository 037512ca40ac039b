"""A function app in a running host, and clients that call it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.wire.host_client import HostClient

KEY = "a-key-for-tests"
"""The host's function key."""
MASTER_KEY = "a-master-key-for-tests"

APP = """
import asyncio
import base64
import json
import threading

import azure.functions as func

from more import more

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(more)


@app.route(route="echo/{first?}/{second?}", methods=["POST", "GET"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = req.get_body()
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "params": dict(req.route_params),
        "type": type(body).__name__,
        "body": base64.b64encode(body).decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route()
def unrouted(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(threading.current_thread().name)


@app.route(route="raises")
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("what went wrong")


@app.route(route="none")
async def none(req: func.HttpRequest) -> func.HttpResponse:
    return None


@app.route(route="text")
async def text(req: func.HttpRequest) -> str:
    return "gr\\u00fc\\u00df dich"


@app.route(route="created")
async def created(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Location": "/api/text", "Content-Type": "image/png"}
    return func.HttpResponse(bytes(range(256)), status_code=201, headers=headers)


@app.route(route="by-parameter", binding_arg_name="answer")
async def by_parameter(req: func.HttpRequest, answer: func.Out[func.HttpResponse]) -> None:
    if req.params.get("answer"):
        answer.set(func.HttpResponse("set", status_code=202))


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


@app.route(route="mastered", auth_level=func.AuthLevel.ADMIN)
async def mastered(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


@app.route(route="headers", methods=["POST"])
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("four")
    for name, value in req.get_json():
        response.headers.add(name, value)
    return response


@app.route(route="lasting", methods=["POST"])
async def lasting(req: func.HttpRequest) -> func.HttpResponse:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(req.get_body()))
    writer.write(b"started\\n")
    await reader.readline()
    writer.write(b"finished\\n")
    await writer.drain()
    writer.close()
    return func.HttpResponse("not read")
"""

MORE = """
import azure.functions as func

more = func.Blueprint()


@more.route(route="from-a-blueprint", auth_level=func.AuthLevel.ANONYMOUS)
def blueprint(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("blueprint")
"""


@pytest.fixture(scope="package")
def function_key() -> str:
    """The host's function key."""
    return KEY


@pytest.fixture(scope="package")
def master_key() -> str:
    """The host's master key."""
    return MASTER_KEY


@pytest.fixture(scope="package", params=[(), ("--workers", "2")], ids=["alone", "workers"])
def host(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[BotProcess]:
    """A host with keys; whether it has workers makes no difference to callers."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "function_app.py").write_text(APP)
    (folder / "more.py").write_text(MORE)
    log = folder.with_name(f"{folder.name}.log")
    keys = ("--function-key", KEY, "--master-key", MASTER_KEY)
    with BotProcess({}, log, folder, (*keys, *request.param)) as process:
        yield process


@pytest.fixture
async def client(host: BotProcess) -> AsyncIterator[HostClient]:
    """A client of that host."""
    async with HostClient(host.url) as client:
        yield client
