"""Chat.call and Chat.run_timer: the functions in a bot's routes.py."""

from pathlib import Path
from textwrap import indent

import pytest

from bot_testing import Chat, ChatMistake
from tests.cloud_adapter.bot.wrong_functions import WRONG

BOT = {
    "__init__.py": """
from botbuilder.core import ActivityHandler


class Bot(ActivityHandler):
    reference = None

    async def on_message_activity(self, turn_context):
        Bot.reference = turn_context.get_conversation_reference(turn_context.activity)


def create_bot(services):
    return Bot()
""",
    "routes.py": """
import threading

import azure.functions as func

import bot_logic


def create_routes(ready):
    routes = func.Blueprint()

    async def remind(text):
        services = await ready()

        async def send(turn_context):
            await turn_context.send_activity(text)

        await services.adapter.continue_conversation(
            bot_logic.Bot.reference, send, services.app_id
        )

    @routes.route("users/{user}/notes", methods=["POST"])
    async def note(req: func.HttpRequest) -> func.HttpResponse:
        text = req.get_json()["text"]
        await remind(f"{req.route_params['user']}: {text} {req.params.get('size', '')}")
        return func.HttpResponse("sent", status_code=202)

    @routes.route("plain", methods=["GET"])
    def plain(req: func.HttpRequest) -> func.HttpResponse:
        main = threading.current_thread() is threading.main_thread()
        return func.HttpResponse("on the loop" if main else "in a thread")

    @routes.route("files/{kind=text}/{*path}")
    def files(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(str(sorted(req.route_params.items())))

    @routes.timer_trigger("timer", "0 0 9 * * *")
    async def morning(timer: func.TimerRequest) -> None:
        await remind("Good morning!")

    return routes
""",
}


@pytest.fixture
def bot_folder(tmp_path: Path) -> Path:
    """A bot with functions of its own."""
    folder = tmp_path / "bot"
    folder.mkdir()
    for name, text in BOT.items():
        (folder / name).write_text(text)
    return folder


async def test_an_http_function(chat: Chat) -> None:
    """The function gets the body, the query and the parameters of its route."""
    await chat.say("hi")
    response = await chat.call("POST", "users/ada/notes?size=L", {"text": "shoes"})
    assert (response.status_code, response.get_body()) == (202, b"sent")
    assert (await chat.next_reply()).text == "ada: shoes L"


async def test_a_function_without_async(chat: Chat) -> None:
    """It runs in a thread, as in the host."""
    assert (await chat.call("GET", "plain")).get_body() == b"in a thread"


async def test_a_route_without_methods(chat: Chat) -> None:
    """It takes all, and its template means what it means in Azure."""
    found = await chat.call("PUT", "files/image/a/b.png")
    assert found.get_body() == b"[('kind', 'image'), ('path', 'a/b.png')]"
    assert (await chat.call("GET", "files")).get_body() == b"[('kind', 'text')]"


async def test_a_timer(chat: Chat) -> None:
    """The timer's function runs when the test says so."""
    await chat.say("hi")
    await chat.run_timer("morning")
    assert (await chat.next_reply()).text == "Good morning!"


async def test_functions_that_are_not_there(chat: Chat) -> None:
    """The error names what is asked for."""
    with pytest.raises(ChatMistake, match="GET /api/users/ada/notes"):
        await chat.call("GET", "users/ada/notes")
    with pytest.raises(ChatMistake, match="POST /api/users/notes"):
        await chat.call("POST", "users/notes")
    with pytest.raises(ChatMistake, match="'note'"):
        await chat.run_timer("note")


@pytest.mark.parametrize("case", ["a name of a function that is off", "the route of messages"])
def test_a_wrong_function(case: str, bot_folder: Path, request: pytest.FixtureRequest) -> None:
    """A bot whose functions would not all run in Azure fails its tests, and they say why."""
    code, why = WRONG[case]
    routes = bot_folder / "routes.py"
    routes.write_text(routes.read_text().replace("\n    return routes\n", indent(code, "    ")))
    routes.write_text(f"{routes.read_text()}\n    return routes\n")
    with pytest.raises(AssertionError, match=why):
        request.getfixturevalue("chat")
