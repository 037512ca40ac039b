"""A bot's own triggers, in its routes.py, in a running host."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient

from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.timing.condition import until
from tests.support.wire.http_post import JSON, Caller

BOT = {
    "bot_logic/__init__.py": """
from botbuilder.core import ActivityHandler


class OwnBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        await turn_context.send_activity("own bot")


def create_bot(services):
    return OwnBot()
""",
    "bot_logic/routes.py": """
import json

import azure.functions as func

from notes import note


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("files/{*path}", methods=["GET", "PUT"])
    async def files(req: func.HttpRequest) -> func.HttpResponse:
        services = await ready()
        found = {"path": req.route_params.get("path"), "app_id": services.app_id}
        return func.HttpResponse(json.dumps(found))

    @routes.route("open/{id:int?}", auth_level=func.AuthLevel.ANONYMOUS)
    def opened(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.route_params.get("id"))

    @routes.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True)
    async def tick(timer: func.TimerRequest) -> None:
        services = await ready()
        note("tick", past_due=timer.past_due, next=timer.schedule_status["Next"])

    @routes.queue_trigger("message", "own-queue", "AzureWebJobsStorage")
    async def take(message: func.QueueMessage) -> None:
        services = await ready()
        note("take", text=message.get_body().decode(), app_id=services.app_id)

    @routes.route("messages", methods=["POST"])
    def all_mine(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("mine")

    @routes.route("/mine")
    def mine(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("mine")

    @routes.route("more")
    def more(req: func.HttpRequest, other: str) -> func.HttpResponse:
        return func.HttpResponse("more")

    @routes.function_name("HEALTH")
    @routes.route("healthy")
    def healthy(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("healthy")

    return routes
""",
    "bot_logic/notes.py": """
import json
import os


def note(name, **seen):
    with open(os.environ["Seen"], "a") as file:
        file.write(json.dumps({"name": name, **seen}) + "\\n")
""",
}
KEY = "a-key-for-tests"


class OwnBotApp:
    """A running app with that bot.

    Args:
        process: the host.
        seen: the file with the bot's records.
        app_id: the bot's.
        queue: the bot's own.
    """

    def __init__(self, process: BotProcess, seen: Path, app_id: str, queue: QueueClient) -> None:
        self.process = process
        self.app_id = app_id
        self.queue = queue
        self._seen = seen

    def seen(self, name: str) -> list[dict[str, object]]:
        """The records of one function."""
        lines = [json.loads(line) for line in self._seen.read_text().splitlines()]
        return [line for line in lines if line.pop("name") == name]

    def call(self, method: str, path: str, key: str = "") -> tuple[int, str]:
        """Status and body of an answer."""
        headers = [("x-functions-key", key)] if key else []
        if path.startswith("/admin/functions/"):
            headers += JSON
        with closing(Caller(self.process.url)) as caller:
            reply = caller.send(method, path, headers, b"{}")
        return reply.status, reply.body.decode()


@pytest.fixture(params=[(), ("--workers", "2"), ("--specialize",)], ids=" ".join)
def app(
    request: pytest.FixtureRequest, tmp_path: Path, cloud: Cloud, storage: str, logs: Path
) -> Iterator[OwnBotApp]:
    """The app in front of the local cloud."""
    folder = app_with(tmp_path / "app", BOT)
    seen = tmp_path / "seen"
    seen.touch()
    settings = cloud.settings() | {"AzureWebJobsStorage": storage, "Seen": str(seen)}
    options = ("--function-key", KEY, *request.param)
    log = logs / f"own triggers {' '.join(request.param)}.log"
    with (
        QueueClient.from_connection_string(storage, "own-queue") as queue,
        BotProcess(settings, log, folder, options) as process,
    ):
        yield OwnBotApp(process, seen, cloud.registration.app_id, queue)


def test_own_triggers(app: OwnBotApp) -> None:
    """HTTP, timer and queue functions run beside the app's own, with the bot's services.

    Those that Azure would refuse are left out and named.
    """
    listed = app.process.ready.partition("(")[2].strip().rstrip(")")
    own = {"files", "opened", "tick", "take"}
    assert {*listed.split(", ")} == {"messages", "health", "identity", "notifications", *own}
    assert app.call("POST", "/api/messages")[0] == 415  # the endpoint's own answer
    status, body = app.call("PUT", "/api/files/a/b%2Fc", KEY)
    assert (status, json.loads(body)) == (200, {"path": "a/b%2Fc", "app_id": app.app_id})
    assert json.loads(app.call("GET", "/api/files", KEY)[1])["path"] is None
    assert app.call("POST", "/api/files/a", KEY)[0] == 404
    assert app.call("GET", "/api/files/a") == (401, "")
    assert app.call("GET", "/api/open/7") == (200, "7")
    assert app.call("GET", "/api/open/x")[0] == 404

    until(lambda: len(app.seen("tick")) == 1)
    [tick] = app.seen("tick")
    assert tick["past_due"] is False
    assert str(tick["next"]).endswith("-01-01T00:00:00+00:00")
    assert app.call("POST", "/admin/functions/tick") == (401, "")

    app.queue.create_queue()
    app.queue.send_message(base64.b64encode(b"a message").decode())
    until(lambda: app.seen("take") == [{"text": "a message", "app_id": app.app_id}])

    log = app.process.log.read_text()
    for name in ("all_mine", "mine", "more", "HEALTH"):
        assert f"Left out of routes.py: function {name}: " in log
    assert app.process.lost == []
