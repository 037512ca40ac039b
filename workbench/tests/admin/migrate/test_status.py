"""`status`, against the local Azure."""

import asyncio
import base64
import json
from collections import Counter

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import US_GOVERNMENT
from bot_workbench.admin.migrate.deployed_bot.app_settings import secrets_in
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import AzureBot
from bot_workbench.admin.migrate.status.next_step import next_step
from bot_workbench.admin.migrate.status.report import StatusReport
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.target import Target
from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.migration import (
    APP,
    BOT,
    NEW_ENDPOINT,
    OLD_ENDPOINT,
    OTHER_APP_ID,
    VAULT,
    Migration,
)

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


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("microsoftapppassword", "the value", "with the secret in microsoftapppassword"),
        (
            "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET",
            "the value",
            "with the secret in CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET",
        ),
        (
            "MICROSOFTAPPPASSWORD",
            "@Microsoft.KeyVault(VaultName=contoso-vault;SecretName=bot)",
            "with the secret in a key vault, to which MICROSOFTAPPPASSWORD refers",
        ),
    ],
)
def test_a_secret_counts_however_it_is_set(
    migration: Migration, name: str, value: str, text: str
) -> None:
    """Another spelling of the setting, which .NET reads as well, the Agents SDK's, or a vault."""
    group, site = migration.thread.azure.group, migration.old.site
    migration.thread.call(group.set_app_settings, site, {name: value})
    assert f"signs in: {text}" in " ".join(migration.run(*STATUS).output.split())
    migration.let_new_app_sign_in()
    migration.run("switch", "--bot", BOT, "--app", APP)
    migration.thread.call(migration.old.registration.secrets.clear)
    ended = migration.run(*STATUS, "--json")
    assert (ended.status, ended.json["secretless"]) == (1, False)


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
        f"bot migrate federated {words}",
        f"bot migrate switch {words}",
        f"bot migrate delete-secret {words}",
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
    github = "https://token.actions.githubusercontent.com"
    pipeline = type(right)(github, "repo:contoso/bot", right.audience, name="pipeline")
    migration.thread.call(registration.federated_credentials.extend, (wrong, pipeline))
    found = migration.run(*NEW, "--json").json["registration"]["federatedCredentials"]
    assert found[0]["differences"] == []
    issuer, subject = found[1]["differences"]
    assert issuer.startswith(f"issuer '{wrong.issuer}' is not '{right.issuer}'")
    assert f"(from character {len(right.issuer) + 1})" in issuer
    assert subject.startswith("subject")
    assert found[2]["differences"] is None  # it is for no identity
    text = migration.run(*NEW).output
    assert "which is the app's identity [ok]" in text
    assert "typo: issuer" in text
    assert "[warn]" in text


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


def test_a_replaced_bot_leads_to_its_deletion_and_the_new_one(migration: Migration) -> None:
    """After the route with a managed identity: the old secret first, then the new bot."""
    words = ("--bot", BOT, "--new-bot", "contoso-bot-2", "--app", APP)
    assert migration.run("managed-identity", *words).status == 0
    ended = migration.run(*STATUS, "--json")
    assert ended.status == 1
    assert ended.json["next"]["command"] == f"bot migrate delete-secret --bot {BOT}"
    migration.thread.call(migration.old.registration.secrets.clear)
    migration.thread.call(migration.thread.azure.group.set_app_settings, migration.old.site, {})
    ended = migration.run(*STATUS, "--json")
    assert ended.status == 0
    command = ended.json["next"]["command"]
    assert command == "bot migrate status --bot contoso-bot-2"
    ended = migration.run("status", "--bot", "contoso-bot-2", "--json")
    assert ended.status == 0
    assert ended.json["bot"]["type"] == "UserAssignedMSI"
    assert ended.json["registration"] is None
    assert ended.json["apps"][0]["identity"]["kind"] == "ManagedIdentity"
    assert ended.json["next"]["command"] is None


def test_certificates_are_compared_in_all_places(migration: Migration) -> None:
    """The registration, the vault and the app name the same certificate, in three spellings."""
    route = ("certificate", "--bot", BOT, "--app", APP, "--vault", VAULT)
    assert migration.run(*route).status == 0
    found = migration.run(*NEW, "--json").json
    (registered,) = found["registration"]["certificates"]
    (version,) = found["vault"]["versions"]
    certificate = migration.old.registration.certificates[0]
    sha1 = certificate.fingerprint(hashes.SHA1())  # noqa: S303  # an identifier
    sha256 = certificate.fingerprint(hashes.SHA256())
    assert registered["sha1"] == sha1.hex().upper() == version["sha1"]
    assert base64.urlsafe_b64decode(registered["x5t"] + "=") == sha1
    assert base64.urlsafe_b64decode(registered["x5tS256"] + "=") == sha256
    assert version["x5t"] == registered["x5t"]
    app = next(one for one in found["apps"] if one["name"] == APP)
    assert app["identity"]["certificateThumbprint"] == registered["sha1"]
    text = migration.run(*NEW).output
    assert f"same as {APP}'s /api/identity and the vault's newest version [ok]" in text
    roles = {one["role"] for one in found["roles"]}
    assert {"Key Vault Reader", "Key Vault Crypto User"} <= roles


@pytest.mark.parametrize("app_type", ["MultiTenant"])
def test_a_multi_tenant_bot_needs_a_certificate(migration: Migration) -> None:
    """Its tenant does not trust the identity, so the next command is not `federated`."""
    found = migration.run(*NEW, "--json").json
    assert found["bot"]["type"] == "MultiTenant"
    words = f"certificate --bot {BOT} --app {APP} --vault {VAULT}"
    assert found["next"]["command"] == f"bot migrate {words}"
    assert "multi-tenant" in found["next"]["reason"]


@pytest.mark.parametrize(
    "url",
    [
        "https://vault.contoso.com",
        "https://vault.contoso.com\\@contoso-vault.vault.azure.net",
        "https://vault.contoso.com#@contoso-vault.vault.azure.net",
        "https://contoso-vault.vault.azure.net:8443",
        "http://contoso-vault.vault.azure.net",
        "contoso-vault",
        "http://[",
    ],
)
def test_only_a_vault_gets_a_vaults_token(migration: Migration, url: str) -> None:
    """Who may write the app's settings does not choose where the account's token is sent."""
    group, site = migration.thread.azure.group, migration.new.site
    settings = {"CertificateVaultUrl": url, "CertificateName": "bot-certificate"}
    migration.thread.call(group.set_app_settings, site, settings)
    ended = migration.run(*NEW, "--json")
    assert "is not the URL of a key vault in this cloud" in ended.json["unknown"]["vault"], (
        ended.errors
    )
    assert ended.json["vault"] is None
    assert not migration.thread.azure.proxy.refused


def test_a_certificate_is_not_missing_from_a_vault_that_cannot_be_read(
    migration: Migration,
) -> None:
    """The text does not say what nobody has seen."""
    route = ("certificate", "--bot", BOT, "--app", APP, "--vault", VAULT)
    assert migration.run(*route).status == 0
    settings = {"CertificateVaultUrl": "https://vault.contoso.com", "CertificateName": "other"}
    group, site = migration.thread.azure.group, migration.new.site
    migration.thread.call(group.set_app_settings, site, settings)
    assert "; no app has it, and the vault cannot be read" in migration.run(*NEW).output


def test_the_apps_are_listed_once(migration: Migration) -> None:
    """Three endpoints are looked up among them."""
    migration.let_new_app_sign_in()
    assert migration.run("switch", "--bot", BOT, "--app", APP).status == 0
    migration.thread.call(
        migration.bot().properties.update, {"endpoint": "https://bot.contoso.com/api/messages"}
    )
    requests = migration.thread.azure.servers["management.azure.com"].requests
    requests.clear()
    assert migration.run(*STATUS, "--json").json["apps"]
    listed = [times for name, times in requests.items() if name.endswith("/resources")]
    assert sum(listed) == len(("bots", "apps", "vaults")), requests


def test_parts_are_read_beside_each_other(migration: Migration) -> None:
    """No service waits for another one's answer without need."""
    azure, now, most = migration.thread.azure, Counter[str](), Counter[str]()

    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        now["requests"] += 1
        most["requests"] = max(most["requests"], now["requests"])
        await asyncio.sleep(0.05)
        now["requests"] -= 1
        return await handler(request)

    for server in azure.servers.values():
        server.around = listen
    assert migration.run(*NEW, "--json").json["apps"]
    assert most["requests"] >= 3


def test_a_bot_without_an_endpoint(migration: Migration) -> None:
    """The cure is the same as for an endpoint that is no app."""
    migration.thread.call(migration.bot().properties.update, {"endpoint": ""})
    ended = migration.run("federated", "--bot", BOT, "--json")
    assert ended.status == 1
    assert "the endpoint '' names no host: name the Function App with --app" in ended.json["reason"]


def test_the_bot_that_replaces_another_is_in_the_same_cloud() -> None:
    """Only its name is known; it may be in another group."""
    options = Options("status", BOT, APP, "group", cloud=US_GOVERNMENT.name)
    properties = {"msaAppId": OTHER_APP_ID, "msaAppType": "UserAssignedMSI"}
    bot = {"properties": properties, "tags": {"replacedBy": "new-bot"}}
    report = StatusReport(AzureBot(Target(AzureClients(US_GOVERNMENT), options), bot), {})
    line = "bot migrate status --bot new-bot --cloud AzureUSGovernment"
    assert next_step(report, options).command == line


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("AzureWebJobsSecretStorageType", False),
        ("AzureWebJobsSecretStorageKeyVaultUri", False),
        ("AzureWebJobsSecretStorageSas", True),
        ("WEATHER_SECRET_NAME", False),
    ],
)
def test_where_keys_are_kept_is_no_secret(name: str, *, is_secret: bool) -> None:
    """The host's settings say where it keeps its keys; the URL with a signature is a secret. A
    secret's name is none."""
    assert (secrets_in({name: "text"}) == [name]) is is_secret


def test_the_app_of_the_bot_that_replaces_this_one(migration: Migration) -> None:
    """It signs in as the new bot, as it should, unless the old one's users talk to it."""
    words = ("--bot", BOT, "--new-bot", "contoso-bot-2", "--app", APP)
    assert migration.run("managed-identity", *words).status == 0
    new_id = migration.new.identity["clientId"]
    line = f"signs in: as {new_id}, with ManagedIdentity"
    assert f"{line}: the bot contoso-bot-2 [ok]" in migration.run(*NEW).output
    new = migration.run("status", "--bot", "contoso-bot-2").output
    assert f"{line} [ok]" in new
    assert "[bad]" not in new
    migration.thread.call(migration.bot().properties.update, {"endpoint": NEW_ENDPOINT})
    assert f"{line} [bad]" in migration.run(*NEW).output


def test_an_app_that_signs_in_as_a_bot_that_nobody_sees(migration: Migration) -> None:
    """The tag names a bot that cannot be read, so nobody knows whether that is as it should be."""
    words = ("--bot", BOT, "--new-bot", "contoso-bot-2", "--app", APP)
    assert migration.run("managed-identity", *words).status == 0
    migration.thread.call(migration.bot().body["tags"].update, {"replacedBy": "hidden-bot"})
    text = migration.run(*NEW).output
    assert "'hidden-bot'" in text
    assert "[unknown]" in next(line for line in text.splitlines() if "signs in: as" in line)
