"""Whose token the assistant sends to the model, and to which address."""

import importlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot_testing import Chat

pytestmark = pytest.mark.filterwarnings("ignore:unclosed")  # as in Azure

REAL = "https://contoso.openai.azure.com"


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """An Azure CLI that is signed in; returns the commands that it was given."""
    commands = tmp_path / "commands"
    commands.touch()
    token = {"accessToken": "the developer's", "expires_on": int(time.time()) + 3600}
    program = tmp_path / "az"
    program.write_text(f"#!/bin/sh\necho \"$@\" >> '{commands}'\ncat '{tmp_path}/token'\n")
    (tmp_path / "token").write_text(json.dumps(token))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    return lambda: commands.read_text().splitlines()


def bot_logic(chat: Chat, **settings: str) -> tuple[Any, Any]:
    """The bot's package, and services with other settings."""
    services = chat.bot.parts.services
    return importlib.import_module("bot_logic"), replace(
        services, settings={**services.settings, **settings}
    )


async def test_a_developer(chat: Chat, az: Callable[[], list[str]]) -> None:
    """On a developer's machine, a real model gets the token of `az login`, which is cached."""
    bot, services = bot_logic(chat)
    token = bot.token_source(services, REAL)
    assert [await token(), await token()] == ["the developer's"] * 2
    [command] = az()
    assert command.endswith("--resource https://cognitiveservices.azure.com")


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [("Production", REAL), ("", REAL), ("Development", "http://localhost:1")],
)
async def test_the_bot(
    chat: Chat, az: Callable[[], list[str]], environment: str, endpoint: str
) -> None:
    """In Azure, and in front of the stand-in, the token is the bot's own."""
    bot, services = bot_logic(chat, AZURE_FUNCTIONS_ENVIRONMENT=environment)
    assert (await bot.token_source(services, endpoint)()).count(".") == 2
    assert az() == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AzureOpenAIEndpoint", "", "is missing"),
        ("AzureOpenAIEndpoint", "http://contoso.openai.azure.com", "must begin with https://"),
        ("AzureOpenAIEndpoint", "http://localhost.contoso.com", "must begin with https://"),
        ("AzureOpenAIEndpoint", "http://localhost@contoso.com", "must begin with https://"),
        ("AzureOpenAIEndpoint", "contoso.openai.azure.com", "must begin with https://"),
        ("AzureOpenAIDeployment", " ", "is missing"),
    ],
)
async def test_wrong_settings(chat: Chat, name: str, value: str, problem: str) -> None:
    """The bot does not start, and names the setting."""
    bot, services = bot_logic(chat, **{name: value})
    with pytest.raises(ValueError, match=f"^The setting {name} {problem}"):
        bot.create_bot(services)
