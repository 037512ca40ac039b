"""What is asked before an app is changed that answers, or may answer, the bot's users."""

import pytest

from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, Migration

FEDERATED = ("federated", "--bot", BOT, "--app", APP)
IDENTITY = ("managed-identity", "--bot", BOT, "--new-bot", "contoso-bot-2", "--app", APP)
CUSTOM = "bot.contoso.com"
CUSTOM_ENDPOINT = f"https://{CUSTOM}/api/messages"


def answer_at(migration: Migration, endpoint: str) -> dict[str, str]:
    """Let the bot's users reach the app, which has a bot's settings, and return these."""
    settings = {"MicrosoftAppId": migration.old.registration.app_id, "BotCredential": "Certificate"}
    azure = migration.thread.azure
    migration.thread.call(azure.group.set_app_settings, migration.new.site, settings)
    migration.thread.call(migration.bot().properties.update, {"endpoint": endpoint})
    return settings


def settings_of(migration: Migration) -> dict[str, str]:
    """The app's settings."""
    return dict(migration.thread.azure.resource_manager.app_settings(migration.new.site.id))


def test_a_live_app_without_proof(migration: Migration) -> None:
    """It may be live although this machine cannot reach it."""
    before = answer_at(migration, NEW_ENDPOINT)
    ended = migration.run(*FEDERATED, "--json")
    assert ended.status == 1
    assert ended.json["result"] == "declined"
    assert settings_of(migration) == before


def test_a_live_app_at_its_custom_domain(migration: Migration) -> None:
    """The endpoint may be any of its host names, in any case."""
    before = answer_at(migration, f"https://{CUSTOM.upper()}/api/messages")
    hosts = {"hostNames": [f"{APP}.azurewebsites.net", CUSTOM]}
    migration.thread.call(migration.new.site.properties.update, hosts)
    ended = migration.run(*FEDERATED, "--json")
    assert ended.status == 1
    assert ended.json["result"] == "declined"
    ended = migration.run(*IDENTITY, "--json")
    assert ended.status == 1
    assert f"{APP} is the app that answers the users of {BOT}" in ended.json["reason"]
    assert settings_of(migration) == before


@pytest.mark.parametrize("command", [FEDERATED, IDENTITY])
def test_an_app_behind_a_gateway(migration: Migration, command: tuple[str, ...]) -> None:
    """An endpoint that is no app may lead to any."""
    before = answer_at(migration, CUSTOM_ENDPOINT)
    ended = migration.run(*command, "--json")
    assert ended.status == 1
    assert ended.json["result"] == "declined"
    assert settings_of(migration) == before


def test_a_new_app_behind_no_gateway(migration: Migration) -> None:
    """An app without a bot's settings answers nobody, so nothing is asked."""
    migration.thread.call(migration.bot().properties.update, {"endpoint": CUSTOM_ENDPOINT})
    ended = migration.run(*FEDERATED, "--json")
    assert ended.status == 0, ended.output
