"""`status`, against the local Azure."""

import json

import pytest

from tests.admin.migrate.migration import APP, BOT, OLD_ENDPOINT, Migration

STATUS = ("status", "--bot", BOT)
NEW = (*STATUS, "--app", APP)


def test_a_bot_with_a_secret(migration: Migration) -> None:
    """The old bot: its secret, its endpoint, its channels, and what to do."""
    ended = migration.run(*STATUS, "--json")
    assert ended.status == 1, ended.errors
    found, registration = ended.json, migration.old.registration
    assert found["unknown"] == {
        f"identity of {BOT}-web": found["unknown"][f"identity of {BOT}-web"]
    }
    assert found["bot"]["endpoint"] == OLD_ENDPOINT
    assert found["bot"]["type"] == "SingleTenant"
    assert found["bot"]["channels"] == ["DirectLineChannel", "MsTeamsChannel", "WebChatChannel"]
    assert found["bot"]["connections"] == ["graph"]
    (secret,) = found["registration"]["secrets"]
    assert secret["keyId"] == registration.secrets[0].key_id
    assert secret["hint"] == registration.secrets[0].hint
    assert secret["state"] == "valid"
    (app,) = found["apps"]
    assert app["settings"]["secrets"] == ["MicrosoftAppPassword"]
    assert app["settings"]["shown"]["MicrosoftAppId"] == registration.app_id
    assert app["identity"] is None
    assert found["secretless"] is False
    assert found["next"]["command"].endswith(f"status --bot {BOT} --app NEW_APP")


def test_the_table_says_how_the_old_app_signs_in(migration: Migration) -> None:
    """An app without this project's code proves nothing, but its settings show the secret."""
    text = migration.run(*STATUS).output
    assert "signs in: with the secret in MicrosoftAppPassword" in text
    assert "[bad]" in text


def secret_values(migration: Migration) -> list[str]:
    """Every value of a setting that is a secret."""
    arm = migration.thread.azure.resource_manager
    found = arm.app_settings(migration.old.site.id)
    return [found["MicrosoftAppPassword"]]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_is_printed(migration: Migration, form: tuple[str, ...]) -> None:
    """Names and hints only."""
    ended = migration.run(*NEW, *form)
    assert "MicrosoftAppPassword" in ended.output
    for value in secret_values(migration):
        assert value not in ended.output + ended.errors


def test_each_step_names_the_next(migration: Migration) -> None:
    """From the new app without settings to the last command, one command leads to the next."""
    commands = [migration.run(*NEW, "--json").json["next"]["command"]]
    migration.let_new_app_sign_in()
    commands.append(migration.run(*NEW, "--json").json["next"]["command"])
    migration.run("switch", "--bot", BOT, "--app", APP)
    commands.append(migration.run(*STATUS, "--json").json["next"]["command"])
    words = f"--bot {BOT} --app {APP}"
    assert commands == [
        f"python -m admin migrate federated {words}",
        f"python -m admin migrate switch {words}",
        f"python -m admin migrate delete-secret {words}",
    ]


def test_a_secretless_bot_is_done(migration: Migration) -> None:
    """Exit 0 as soon as neither the directory nor an app has a secret."""
    migration.let_new_app_sign_in()
    migration.run("switch", "--bot", BOT, "--app", APP)
    registration, azure = migration.old.registration, migration.thread.azure
    migration.thread.call(registration.secrets.clear)
    assert migration.run(*STATUS).status == 1
    migration.thread.call(azure.group.set_app_settings, migration.old.site, {})
    ended = migration.run(*STATUS, "--json")
    assert ended.status == 0
    assert ended.json["secretless"] is True
    assert ended.json["next"]["command"] is None
    roles = {(app["name"], app["role"]) for app in ended.json["apps"]}
    assert roles == {(APP, "users talk to it"), (f"{BOT}-web", "old")}


def test_a_wrong_federated_credential_is_compared_letter_by_letter(migration: Migration) -> None:
    """Entra accepts any values, so the one that differs is shown, with its place."""
    migration.let_new_app_sign_in()
    registration = migration.old.registration
    right = registration.federated_credentials[0]
    wrong = type(right)(right.issuer + "/", right.subject.upper(), right.audience, name="typo")
    migration.thread.call(registration.federated_credentials.append, wrong)
    found = migration.run(*NEW, "--json").json["registration"]["federatedCredentials"]
    assert found[0]["differences"] == []
    issuer, subject = found[1]["differences"]
    assert issuer.startswith(f"issuer '{wrong.issuer}' is not '{right.issuer}'")
    assert f"(from character {len(right.issuer) + 1})" in issuer
    assert subject.startswith("subject")
    assert "[warn]" in migration.run(*NEW).output


def test_what_may_not_be_read_is_said(migration: Migration) -> None:
    """A directory that refuses, and one that does not report sign-ins, leave the rest."""
    graph = migration.thread.azure.graph
    body = json.dumps({"error": {"code": "Authorization_RequestDenied", "message": "no"}})
    migration.thread.call(graph.server.faults.set, status=403, body=body)
    ended = migration.run(*STATUS, "--json")
    assert ended.status == 1
    assert ended.json["registration"] is None
    assert "owner of the app registration" in ended.json["unknown"]["registration"]
    assert ended.json["bot"]["endpoint"] == OLD_ENDPOINT
    assert ended.json["next"]["command"] == "az login"
    assert "[unknown]" in migration.run(*STATUS).output


def test_sign_ins_are_shown_where_the_directory_says(migration: Migration) -> None:
    """Without the licence, the line says so."""
    graph = migration.thread.azure.graph
    graph.licensed = False
    ended = migration.run(*STATUS)
    assert "last sign-in: the directory does not say" in ended.output
    graph.licensed = True
    ended = migration.run(*STATUS)
    assert "no sign-in is recorded" in ended.output


def test_the_endpoint_may_lead_elsewhere(migration: Migration) -> None:
    """A bot that is not on App Service is shown as far as it can be."""
    migration.bot().properties["endpoint"] = "https://bot.contoso.com/api/messages"
    ended = migration.run(*NEW, "--json")
    assert ended.status == 1
    assert "bot.contoso.com" in ended.json["unknown"]["apps"]
    assert [app["name"] for app in ended.json["apps"]] == [APP]
