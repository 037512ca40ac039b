"""Timers, queues and routes of a bot while its code is saved."""

import base64
import json
import time
from contextlib import suppress
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient

from tests.runs.reload.conftest import StartTalk
from tests.support.timing.condition import comes_true

ROUTES = """
import json
import os
import time

import azure.functions as func

from bot_logic.more import more

VERSION = "{version}"


def note(name, **seen):
    noted = {{"name": name, "version": VERSION, "at": time.time(), **seen}}
    with open(os.environ["Seen"], "a") as file:
        file.write(json.dumps(noted) + "\\n")


def create_routes(ready):
    routes = func.Blueprint()

    @routes.timer_trigger("timer", "* * * * * *")
    async def often(timer: func.TimerRequest) -> None:
        note("often", app_id=(await ready()).app_id)

    @routes.timer_trigger("timer", "%Yearly%", run_on_startup=True)
    def yearly(timer: func.TimerRequest) -> None:
        note("yearly")

    {decorator}
    def {name}(message: func.QueueMessage) -> None:
        note("{name}", text=message.get_body().decode())

    return [routes, more]
"""

MORE = """
import azure.functions as func

more = func.Blueprint()


@more.route("more", methods=["GET"])
def of_another_blueprint(req: func.HttpRequest) -> str:
    return "more"


@more.warm_up_trigger("warm")
def warmed(warm) -> None:
    pass


@more.generic_trigger("context", type="orchestrationTrigger")
def orchestrated(context) -> None:
    pass
"""

HTTP = """
import azure.functions as func


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("{route}")
    def mine(req: func.HttpRequest) -> str:
        return "mine"

    return routes
"""

TAKES = '@routes.queue_trigger("message", "{}", "AzureWebJobsStorage")'


def routes(version: str, name: str, queue: str) -> str:
    """The content of routes.py with one queue's function."""
    return ROUTES.format(version=version, name=name, decorator=TAKES.format(queue))


def seen(file: Path, name: str) -> list[dict[str, object]]:
    """The notes of a function, oldest first."""
    notes = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [each for each in notes if each["name"] == name]


async def test_triggers_go_on(start_talk: StartTalk, tmp_path: Path, storage: str) -> None:
    """Timers run once for each occurrence, in old code and then in new; queues come and go."""
    notes = tmp_path / "seen"
    files = {"routes.py": routes("V1", "first", "queue-one"), "more.py": MORE}
    settings = {"Seen": str(notes), "Yearly": "0 0 0 1 1 *"}
    async with start_talk(files, settings) as talk:
        assert await talk.app.text("/api/more") == "more"
        await comes_true(lambda: len(seen(notes, "often")) > 2)
        await comes_true(lambda: bool(seen(notes, "yearly")))
        send(storage, "queue-one", "a")
        await comes_true(lambda: [each["text"] for each in seen(notes, "first")] == ["a"])

        talk.app.save("routes.py", routes("V2", "second", "queue-two"))
        await talk.app.reported("ready", 2)
        send(storage, "queue-two", "b")
        await comes_true(lambda: [each["text"] for each in seen(notes, "second")] == ["b"])
        await comes_true(lambda: [e["version"] for e in seen(notes, "often")].count("V2") > 2)
        send(storage, "queue-one", "for nobody")
        runs = seen(notes, "often")
        elapsed = time.time() - float(str(runs[0]["at"]))
        assert len(runs) <= elapsed + 2
        assert len(seen(notes, "yearly")) == 1
        assert len(seen(notes, "first")) == 1

        reports = [each for each in talk.app.events if each["event"] == "function"]
        assert {"often", "yearly", "first", "second"} <= {each["name"] for each in reports}
        assert all(each["ok"] and each["ms"] >= 0 and each["turn"] for each in reports)
        lines = [
            "Function warmed is not triggered here, because this host has no warmupTrigger",
            "Function orchestrated never runs here, because this host has no orchestrationTrigger",
        ]
        assert [talk.app.output.count(line) for line in lines] == [1, 1]


async def test_broken_routes(start_talk: StartTalk, tmp_path: Path) -> None:
    """A fault in routes.py is one line, and the functions before it go on."""
    notes = tmp_path / "seen"
    files = {"routes.py": routes("V1", "first", "queue-one"), "more.py": MORE}
    settings = {"Seen": str(notes), "Yearly": "0 0 0 1 1 *"}
    async with start_talk(files, settings) as talk:
        talk.app.save("routes.py", "import no_such_module\n")
        broken = await talk.app.reported("broken", 1)
        assert broken["text"].startswith("bot_logic/routes.py:1 ModuleNotFoundError: No module")
        so_far = len(seen(notes, "often"))
        await comes_true(lambda: len(seen(notes, "often")) > so_far + 1)
        assert await talk.app.text("/api/more") == "more"
        assert "Traceback" not in talk.app.output


async def test_a_wrong_function(start_talk: StartTalk) -> None:
    """A function that would stop all others is named before any request comes."""
    async with start_talk({"routes.py": HTTP.format(route="mine")}) as talk:
        talk.app.save("routes.py", HTTP.format(route="a//b"))
        await talk.app.reported("ready", 2)
        await comes_true(lambda: "Left out of routes.py: function mine" in talk.app.output)


async def test_faults_of_bot_and_settings(start_talk: StartTalk) -> None:
    """Code that fails when the bot is created, and wrong settings, are a line each, too."""
    async with start_talk() as talk:
        talk.app.save("__init__.py", "def create_bot(services):\n    return services.nothing\n")
        broken = await talk.app.reported("broken", 1)
        assert broken["text"].startswith("bot_logic/__init__.py:2 AttributeError: ")
        assert await talk.reply("hello") == "V1 1 hello"
        assert "Traceback" not in talk.app.output


REFUSED = """
import asyncio


{create_bot}


async def connected(services):
    await asyncio.open_connection("127.0.0.1", 1)
"""
CONNECTING = (
    "create_bot = lambda services: asyncio.run(connected(services))",
    "create_bot = lambda services: connected(services)",
)


async def test_the_place_of_a_refused_connection(start_talk: StartTalk) -> None:
    """It is the bot's own line, not that of the event loop that raises the error."""
    async with start_talk() as talk:
        for number, create_bot in enumerate(CONNECTING, 1):
            talk.app.save("__init__.py", REFUSED.format(create_bot=create_bot))
            broken = await talk.app.reported("broken", number)
            assert broken["text"].startswith("bot_logic/__init__.py:9 ConnectionRefusedError: ")


def send(storage: str, queue: str, text: str) -> None:
    """Put a message into a queue, which is made if there is none."""
    with QueueClient.from_connection_string(storage, queue) as client:
        with suppress(ResourceExistsError):
            client.create_queue()
        client.send_message(base64.b64encode(text.encode()).decode())
