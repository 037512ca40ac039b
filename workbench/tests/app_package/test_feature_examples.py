"""Each feature's example does what the manifest promises with it."""

import json
import re
from typing import Any

import pytest

from bot_testing import Chat
from bot_workbench.admin.app_package.filled_manifest import FOLDER
from tests.app_package.conftest import MANIFEST
from tests.support.project import ROOT

BOOKS = ["Middlemarch", "Orlando", "The Waves"]
CONSENT = "application/vnd.microsoft.teams.card.file.consent"


def feature(name: str) -> Any:
    """A feature's file, parsed."""
    return json.loads((MANIFEST.parent / FOLDER / f"{name}.json").read_text("utf-8"))


COMMANDS = {
    each["id"]: each for each in feature("message_extension")["composeExtensions"][0]["commands"]
}


def names(command: str) -> list[str]:
    """The names of a command's parameters."""
    return [each["name"] for each in COMMANDS[command]["parameters"]]


def attachments(answer: Any) -> Any:
    """The cards of a message extension's answer."""
    assert answer.status == 200
    return answer.body["composeExtension"]["attachments"]


def test_the_examples_commands_are_the_features() -> None:
    """The example's own tests use the same commands, each by its type, and no others."""
    folder = ROOT / "examples" / "message_extension"
    test = (folder / "test_message_extension.py").read_text("utf-8")
    assert re.findall(r'"commandId": "(\w+)"', test) == list(COMMANDS)
    code = (folder / "bot.py").read_text("utf-8")
    assert re.findall(r'form\.get\("(\w+)"\)', code) == names("recommend")
    handlers = re.findall(r"def on_teams_messaging_extension_(\w+)\(", code)
    types = {"query": "query", "submit_action": "action"}
    assert [types[each] for each in handlers] == [each["type"] for each in COMMANDS.values()]


@pytest.mark.chat(bot="examples/message_extension", channel="msteams")
async def test_the_search_is_answered(chat: Chat) -> None:
    """What people type into the command's one parameter is what the bot finds."""
    [name] = names("search")
    for typed in BOOKS:
        query = {"commandId": "search", "parameters": [{"name": name, "value": typed}]}
        [card] = attachments(await chat.invoke("composeExtension/query", query))
        assert card["content"]["title"] == typed


@pytest.mark.chat(bot="examples/message_extension", channel="msteams")
async def test_the_action_is_answered(chat: Chat) -> None:
    """Everything that people fill in is in the card."""
    assert COMMANDS["recommend"]["context"] == ["compose"]
    form = {name: f"what is in {name}" for name in names("recommend")}
    sent = {"commandId": "recommend", "commandContext": "compose", "data": form}
    [card] = attachments(await chat.invoke("composeExtension/submitAction", sent))
    for text in form.values():
        assert text in card["content"].values()


@pytest.mark.chat(bot="examples/files", channel="msteams")
async def test_files_are_offered_with_consent(chat: Chat) -> None:
    """In a personal chat, the bot asks before it sends a file, and takes a no."""
    assert feature("files") == {"bot": {"supportsFiles": True}}
    [offer] = await chat.say("menu")
    assert [each["contentType"] for each in offer.attachments] == [CONSENT]
    declined = {"type": "fileUpload", "action": "decline"}
    answer = await chat.invoke("fileConsent/invoke", declined)
    assert answer.status == 200
    assert answer.texts == ["OK, I won't send it."]


@pytest.mark.chat(bot="examples/sign_in", channel="msteams")
async def test_single_sign_on_is_for_the_same_resource(chat: Chat) -> None:
    """The bot's sign-in card offers a token exchange for the manifest's resource, and takes it."""
    [prompt] = await chat.say("hi")
    resource = prompt.card["tokenExchangeResource"]["uri"]
    app_id = chat.bot.cloud.registration.app_id
    assert (
        feature("sso")["webApplicationInfo"]["resource"].replace("${{BOT_ID}}", app_id) == resource
    )
    assert (await chat.sign_in(prompt, by="sso")).texts == ["You are signed in."]
