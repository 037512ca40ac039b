"""The endpoint is at an app that is not this project's: one finding, and nothing about its
settings."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot_workbench.command_line import app
from tests.admin.doctor.examined_bot import MANAGED_IDENTITY, SIGN_IN_VAULT, ExaminedBot
from tests.admin.doctor.harms import (
    SECRET_VALUE,
    Harm,
    all_of,
    app_answers,
    forget_functions,
    setting,
    stop,
)
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Ended, Migration
from tests.admin.moved_clock import MovedClock
from tests.support.azure.azure_thread import AzureThread

STATUS = f"bot migrate status --bot {BOT}"
SWITCH = f"bot migrate switch --bot {BOT} --app {APP}"
ONLY_OFFICE = [{"ipAddress": "203.0.113.7/32", "action": "Allow", "priority": 100}]
SITES = "*.azurewebsites.net"


@pytest.fixture
def migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    """A bot with a secret in a web app, and a Function App that is to be its new one."""
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        yield Migration(thread)


def doctor(*words: str) -> list[dict[str, str]]:
    """The doctor's findings."""
    result = CliRunner().invoke(app, ["doctor", "--bot", BOT, "--json", *words], obj=MovedClock())
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    found: list[dict[str, str]] = Ended(result.exit_code, result.stdout, result.stderr).json[
        "findings"
    ]
    is_found = any(each["severity"] != "ignored" for each in found)
    assert result.exit_code == (1 if is_found else 0)
    return found


def settings_of_old_app(migration: Migration, **changed: str | None) -> None:
    """Set and delete settings of the old app."""
    manager, site = migration.thread.azure.resource_manager, migration.old.site
    values = {**manager.app_settings(site.id), **changed}
    kept = {name: value for name, value in values.items() if value is not None}
    migration.thread.call(migration.thread.azure.group.set_app_settings, site, kept)


def switch(migration: Migration) -> None:
    """The users are at the new app, which signs in without a secret."""
    migration.let_new_app_sign_in()
    ended = migration.run("switch", "--bot", BOT, "--app", APP)
    assert ended.status == 0, ended.errors


def delete_secret(migration: Migration) -> None:
    """Switch, and do what `delete-secret` does, without its proofs."""
    switch(migration)
    migration.old.registration.secrets.clear()
    settings_of_old_app(migration, MicrosoftAppPassword=None)


def move_back(migration: Migration) -> None:
    """Somebody moves the endpoint in the portal."""
    migration.bot().properties["endpoint"] = OLD_ENDPOINT


@pytest.mark.usefixtures("migration")
def test_a_bot_before_its_migration() -> None:
    """Today's answer: it is not this project's yet."""
    (found,) = doctor()
    assert (found["code"], found["severity"]) == ("setting-password", "error")
    assert found["cure"] == STATUS


def test_a_bot_that_went_back(migration: Migration) -> None:
    """While its secret is there, the old app may answer: `status` says what comes next."""
    switch(migration)
    assert migration.run("back", "--bot", BOT).status == 0
    (found,) = doctor()
    assert (found["code"], found["cure"]) == ("setting-password", STATUS)


def keep(migration: Migration) -> None:
    """The old app is as `delete-secret` leaves it."""


def keep_password(migration: Migration) -> None:
    """The old app's settings still have the secret, which Entra refuses."""
    settings_of_old_app(migration, MicrosoftAppPassword=SECRET_VALUE)


def lose_settings(migration: Migration) -> None:
    """The old app has no settings at all."""
    migration.thread.call(migration.thread.azure.group.set_app_settings, migration.old.site, {})


def stop_old_app(migration: Migration) -> None:
    """Somebody has stopped it."""
    migration.old.site.properties["state"] = "Stopped"
    manager = migration.thread.azure.resource_manager
    migration.thread.call(manager.on_site_change, migration.old.site)


def close_old_app(migration: Migration) -> None:
    """Its access restrictions refuse this machine."""
    migration.old.site.hidden["siteConfig"] = {"ipSecurityRestrictions": ONLY_OFFICE}
    migration.thread.azure.servers[SITES].faults.set(status=403)


def old_functions(migration: Migration) -> None:
    """It is a Function App of another framework."""
    migration.old.site.body["kind"] = "functionapp,linux"
    settings_of_old_app(migration, FUNCTIONS_WORKER_RUNTIME="node")
    migration.thread.azure.servers[SITES].faults.set(status=404)


def old_python_functions(migration: Migration) -> None:
    """It is a Function App in Python, with the bot's id."""
    old_functions(migration)
    settings_of_old_app(migration, FUNCTIONS_WORKER_RUNTIME="python")


def delete_old_app(migration: Migration) -> None:
    """It is gone."""
    resources = migration.thread.azure.resource_manager.resources
    migration.thread.call(resources.remove, migration.old.site.id)


def lose_tags(migration: Migration) -> None:
    """The tags are gone; the new app is beside the bot."""
    migration.bot().body["tags"] = {}


def lose_endpoint(migration: Migration) -> None:
    """The endpoint was emptied, not moved."""
    migration.bot().properties["endpoint"] = ""


def slip(migration: Migration) -> None:
    """A setting of the old app's is nearly one of this project's."""
    settings_of_old_app(migration, BotTurn="5")


def lose_app_and_tags(migration: Migration) -> None:
    """The old app is gone, and so are the tags."""
    delete_old_app(migration)
    lose_tags(migration)


def lose_python_tags(migration: Migration) -> None:
    """The old app is a Function App in Python, and the tags are gone."""
    migration.old.site.body["kind"] = "functionapp,linux"
    settings_of_old_app(migration, FUNCTIONS_WORKER_RUNTIME="python")
    lose_tags(migration)


@pytest.mark.parametrize(
    "harm",
    [
        lose_endpoint,
        slip,
        lose_app_and_tags,
        lose_python_tags,
        keep,
        keep_password,
        lose_settings,
        stop_old_app,
        close_old_app,
        old_functions,
        old_python_functions,
        delete_old_app,
        lose_tags,
    ],
)
def test_the_endpoint_is_back_at_the_old_app(
    migration: Migration, harm: Callable[[Migration], None]
) -> None:
    """After delete-secret, nobody answers there. `switch` is the first cure and the only one; it
    names the new app, and heals."""
    delete_secret(migration)
    move_back(migration)
    harm(migration)
    code = "endpoint-elsewhere" if migration.endpoint else "endpoint-missing"
    (found,) = doctor()
    assert (found["code"], found["severity"]) == (code, "error")
    assert found["cure"].splitlines()[-1] == SWITCH
    migration.thread.azure.servers[SITES].faults.clear()
    assert migration.run(*shlex.split(SWITCH)[2:]).status == 0
    assert migration.endpoint == NEW_ENDPOINT
    assert "endpoint-elsewhere" not in [each["code"] for each in doctor()]


def test_the_new_app_is_gone(migration: Migration) -> None:
    """There is nothing to switch to."""
    delete_secret(migration)
    move_back(migration)
    resources = migration.thread.azure.resource_manager.resources
    migration.thread.call(resources.remove, migration.new.site.id)
    (found,) = doctor()
    assert found["code"] == "endpoint-elsewhere"
    assert NEW_ENDPOINT in found["cure"]
    assert "python -m" not in found["cure"]


def test_the_new_app_is_named(migration: Migration) -> None:
    """The endpoint is what is wrong with it."""
    delete_secret(migration)
    move_back(migration)
    found = [each for each in doctor("--app", APP) if each["code"] == "endpoint-elsewhere"]
    assert SWITCH in found[0]["cure"]


def test_the_old_app_is_named(migration: Migration) -> None:
    """The bot is where it belongs: only its code is wrong. Whoever intends that says so."""
    delete_secret(migration)
    (found,) = doctor("--app", migration.old.site.name)
    assert (found["code"], found["severity"]) == ("app-other-code", "error")
    (found,) = doctor("--app", migration.old.site.name, "--ignore", "app-other-code")
    assert found["severity"] == "ignored"


def test_the_directory_cannot_be_read(migration: Migration) -> None:
    """Then the old app's settings say whether it may have a secret."""
    delete_secret(migration)
    move_back(migration)
    migration.thread.azure.servers["graph.microsoft.com"].faults.set(status=403, body="{}")
    assert [each["cure"] for each in doctor()] == [SWITCH]
    keep_password(migration)
    assert [each["cure"] for each in doctor()] == [STATUS]


def test_code_of_another_framework(migration: Migration) -> None:
    """No tags, no secret, no other app: it is not examined as this project's."""
    migration.old.registration.secrets.clear()
    settings_of_old_app(migration, MicrosoftAppPassword=None)
    (found,) = doctor()
    assert (found["code"], found["severity"]) == ("app-other-code", "error")
    assert "--app" in found["cure"]


def test_a_replaced_bot(migration: Migration) -> None:
    """After managed-identity, its app is the old one, and the new bot is to be examined."""
    migration.bot().body["tags"] = {"replacedBy": "contoso-bot-2"}
    (found,) = doctor()
    assert (found["code"], found["severity"]) == ("bot-replaced", "warning")
    assert found["cure"] == f"{STATUS}\nbot doctor --bot contoso-bot-2"


def never_deployed(bot: ExaminedBot) -> None:
    """It has no function."""
    bot.call(bot.azure.resource_manager.deploy_functions, bot.site.id, {"other": ()})
    for path in ("/api/identity", "/api/health", "/api/messages"):
        app_answers(path, 404)(bot)


def moved_from(bot: ExaminedBot) -> None:
    """The tags say that `switch` has moved the bot to this app."""
    bot.bot.body["tags"] = {"previousEndpoint": OLD_ENDPOINT, "newEndpoint": NEW_ENDPOINT}


def moved_back_here(bot: ExaminedBot) -> None:
    """The tags say that it was here, and went to another app of this project, and back."""
    other = NEW_ENDPOINT.replace(APP, "contoso-other")
    bot.bot.body["tags"] = {"previousEndpoint": NEW_ENDPOINT, "newEndpoint": other}


BROKEN: dict[str, Harm] = {
    "never deployed": never_deployed,
    "never deployed, and a slip": all_of(
        never_deployed, setting("BotCredential", None), setting("BotCredental", "Federated")
    ),
    "never deployed, without its credential": all_of(
        never_deployed, setting("BotCredential", None)
    ),
    "in error": app_answers("/api/identity", 503),
    "no settings": all_of(
        moved_from, never_deployed, lambda bot: bot.set_settings(**dict.fromkeys(bot.settings()))
    ),
    "stopped": stop,
    "another program": forget_functions,
    "went back": moved_back_here,
    "went back, in error": all_of(moved_back_here, app_answers("/api/identity", 503)),
}


@pytest.mark.parametrize("credential", [MANAGED_IDENTITY, SIGN_IN_VAULT, "Federated"])
@pytest.mark.parametrize("harm", BROKEN.values(), ids=BROKEN)
def test_a_broken_app_of_this_project_is_examined(bot: ExaminedBot, harm: Harm) -> None:
    """Whatever it answers."""
    harm(bot)
    codes = [each["code"] for each in bot.findings()]
    assert not {"app-other-code", "endpoint-elsewhere", "setting-password"} & {*codes}
