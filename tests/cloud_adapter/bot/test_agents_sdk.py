"""Recognizing a bot of the Agents SDK, and what its modules find in the environment."""

import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloud_adapter.bot.agents_sdk import CONNECTION, agent_of, prepare_environment

APP_ID = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"


class Theirs:
    """Stands for a class of the SDK."""


Theirs.__module__ = "microsoft_agents.hosting.core.app.agent_application"


class OfABot(Theirs):
    """A class that a bot derives from it."""


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK is installed, whatever the tests' environment has."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())


def test_its_bots_are_recognized() -> None:
    """By a class in their MRO, or in that of their `agent_app`."""
    bot = OfABot()
    assert agent_of(bot) is bot
    assert agent_of(SimpleNamespace(agent_app=bot)) is bot


def test_other_bots_are_not() -> None:
    """Whatever attributes they have."""
    assert agent_of(SimpleNamespace(agent_app=None, on_turn=None)) is None
    assert agent_of(object()) is None


def test_the_connection_is_the_bots() -> None:
    """The names that the SDK's samples need have the base's values, also over older ones."""
    environ = {
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppTenantId": TENANT,
        f"{CONNECTION}CLIENTID": "other",
    }
    prepare_environment(environ)
    assert environ[f"{CONNECTION}CLIENTID"] == APP_ID
    assert environ[f"{CONNECTION}TENANTID"] == TENANT


def test_secrets_and_log_levels_are_taken_out(caplog: pytest.LogCaptureFixture) -> None:
    """With one warning, which has no value."""
    environ = {
        "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET": "hidden",
        "connections__graph__settings__clientsecret": "hidden",
        "LOGGING__LOGLEVEL__DEFAULT": "hidden",
        "AGENTAPPLICATION__USERAUTHORIZATION__AUTO_SIGN_IN": "true",
    }
    with caplog.at_level(logging.WARNING):
        prepare_environment(environ)
    assert "hidden" not in environ.values()
    assert environ["AGENTAPPLICATION__USERAUTHORIZATION__AUTO_SIGN_IN"] == "true"
    [line] = caplog.messages
    assert "hidden" not in line
    assert "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET" in line
    prepare_environment(environ)
    assert caplog.messages == [line]


def test_nothing_changes_without_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app whose packages do not have it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    environ = {"MicrosoftAppId": APP_ID}
    prepare_environment(environ)
    assert environ == {"MicrosoftAppId": APP_ID}


def test_another_bot_does_not_import_it() -> None:
    """Neither the bridge nor the SDK nor pydantic, when a bot of BotBuilder is composed."""
    script = """
import asyncio, os, sys
from pathlib import Path
from auth.settings import Settings
from cloud_adapter.bot.folder import BotFolder
from composition import Composition
bot = BotFolder(Path("examples/echo").resolve())
app = Composition(lambda: Settings.from_environ(os.environ), os.environ, bot.create_bot)
asyncio.run(app.ready())
names = ("microsoft_agents", "pydantic", "cloud_adapter.agents")
print([each for each in names if each in sys.modules])
"""
    settings = {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "MicrosoftAppType": "UserAssignedMSI",
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppTenantId": TENANT,
        "BotCredential": "ManagedIdentity",
    }
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=settings, capture_output=True, text=True
    )
    assert run.stdout == "[]\n", run.stderr
