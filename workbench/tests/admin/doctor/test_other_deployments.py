"""Bots that others have deployed, in other ways than this project's templates: no false finding."""

import datetime
import json
from dataclasses import replace

import pytest

from bot_workbench.admin.migrate.deployed_bot.deployed_bot import METRICS_PUBLISHER
from bot_workbench.emulator.entra.credentials import KeyCredential
from bot_workbench.emulator.resource_manager.resource import JsonObject
from bot_workbench.emulator.resource_manager.resource_type import Subscription
from bot_workbench.emulator.seeds import ROLES_ON_STORAGE, assign_role
from tests.admin.doctor.examined_bot import (
    CERTIFICATE,
    FEDERATED,
    MANAGED_IDENTITY,
    ROLES_ON_VAULT,
    ExaminedBot,
)
from tests.admin.doctor.harms import (
    CONTRIBUTOR,
    OTHER_GUID,
    SECRET_VALUE,
    app_answers,
    assign,
    assign_to_subscription,
    registration_of,
    rows,
    setting,
    site,
    unassign,
    web,
)
from tests.admin.migrate.migration import APP, BOT, VAULT

SUBSCRIPTION = "22222222-2222-3333-4444-555555555555"
SYSTEM_PRINCIPAL = "66666666-2222-3333-4444-555555555555"
INSIGHTS, STORAGE = "Microsoft.Insights/components", "Microsoft.Storage/storageAccounts"
AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
ONLY_CHANNELS = [
    {"ipAddress": "AzureBotService", "tag": "ServiceTag", "action": "Allow", "priority": 100},
    {"ipAddress": "52.112.0.0/14,52.122.0.0/15", "action": "Allow", "priority": 200},
    {"ipAddress": "Any", "action": "Deny", "priority": 2147483647},
]


def codes(bot: ExaminedBot) -> list[str]:
    """The codes of what is found."""
    return [each["code"] for each in bot.findings()]


def give_system_identity(bot: ExaminedBot) -> None:
    """The app has a system-assigned identity, too."""
    bot.site.body["identity"] |= {
        "type": "SystemAssigned, UserAssigned",
        "principalId": SYSTEM_PRINCIPAL,
    }


def test_a_workspace_of_many_bots(bot: ExaminedBot) -> None:
    """Only this bot's component is counted."""
    assert bot.findings() == []
    component = bot.found(INSIGHTS)
    ((_, query),) = bot.azure.log_analytics.queries
    assert query.count(f"'{component.id}'") == 1
    assert query.count("where _ResourceId =~ component") == query.count("= App") == 3


def test_only_channels_are_admitted(bot: ExaminedBot) -> None:
    """The app refuses the doctor, as it should: it was not looked at, and is no error."""
    web(ipSecurityRestrictions=ONLY_CHANNELS)(bot)
    bot.azure.servers["*.azurewebsites.net"].faults.set(status=403)
    (found,) = bot.findings()
    assert (found["code"], found["severity"]) == ("not-looked-at", "unknown")
    assert "access restrictions" in found["problem"]


def test_a_refusal_without_restrictions(bot: ExaminedBot) -> None:
    """If nothing explains it, it is an error."""
    app_answers("/api/health", 403)(bot)
    assert codes(bot) == ["app-unhealthy"]


def test_the_host_uses_another_identity(bot: ExaminedBot) -> None:
    """The system-assigned one reaches the storage, too, and needs the roles itself."""
    give_system_identity(bot)
    bot.set_settings(AzureWebJobsStorage__clientId=None)
    account = bot.found(STORAGE)
    found = bot.findings()
    assert [each["code"] for each in found] == ["role-missing", "role-missing"]
    assert all(f"--assignee-object-id {SYSTEM_PRINCIPAL}" in each["cure"] for each in found)
    for role in ROLES_ON_STORAGE:
        bot.call(assign_role, bot.azure.group, account, role, SYSTEM_PRINCIPAL)
    assert bot.findings() == []


@pytest.mark.parametrize("credential", [CERTIFICATE])
def test_only_a_system_assigned_identity(bot: ExaminedBot) -> None:
    """It reads the certificate, and reaches storage and telemetry, if no setting names another."""
    bot.site.body["identity"] = {"type": "SystemAssigned", "principalId": SYSTEM_PRINCIPAL}
    bot.set_settings(
        AZURE_CLIENT_ID=None,
        AzureWebJobsStorage__clientId=None,
        **{AUTHENTICATION: "Authorization=AAD"},
    )
    needed = {
        "Microsoft.KeyVault/vaults": ROLES_ON_VAULT[CERTIFICATE],
        STORAGE: ROLES_ON_STORAGE,
        INSIGHTS: (METRICS_PUBLISHER.id,),
    }
    found = bot.findings()
    assert [each["code"] for each in found] == ["role-missing"] * 4
    assert all(f"--assignee-object-id {SYSTEM_PRINCIPAL}" in each["cure"] for each in found)
    for kind, roles in needed.items():
        for role in roles:
            bot.call(assign_role, bot.azure.group, bot.found(kind), role, SYSTEM_PRINCIPAL)
    assert bot.findings() == []
    bot.set_settings(**{AUTHENTICATION: None})
    (refused,) = bot.findings()
    assert refused["code"] == "insights-authentication"
    assert refused["cure"].endswith("=Authorization=AAD")
    bot.set_settings(AZURE_CLIENT_ID=bot.prepared.identity["clientId"])
    assert "identity-missing" in codes(bot)


def test_storage_has_an_identity_of_its_own(bot: ExaminedBot) -> None:
    """The bot's identity needs no role there."""
    other = bot.call(bot.azure.group.identity, "contoso-storage")
    bot.site.body["identity"]["userAssignedIdentities"][other["id"]] = {
        "principalId": other["principalId"],
        "clientId": other["clientId"],
    }
    bot.set_settings(AzureWebJobsStorage__clientId=other["clientId"])
    for role in ROLES_ON_STORAGE:
        unassign(role)(bot)
        bot.call(assign_role, bot.azure.group, bot.found(STORAGE), role, other["principalId"])
    assert bot.findings() == []


def test_telemetry_of_the_system_identity(bot: ExaminedBot) -> None:
    """Without a client id, the setting names the system-assigned identity."""
    give_system_identity(bot)
    bot.set_settings(**{AUTHENTICATION: "Authorization=AAD"})
    assert codes(bot) == ["role-missing"]
    component = bot.found(INSIGHTS)
    role = METRICS_PUBLISHER.id
    bot.call(assign_role, bot.azure.group, component, role, SYSTEM_PRINCIPAL)
    assert bot.findings() == []


def test_telemetry_with_a_key_needs_no_role(bot: ExaminedBot) -> None:
    """One finding, the key."""
    unassign(METRICS_PUBLISHER.id)(bot)
    setting(AUTHENTICATION, None)(bot)
    bot.found(INSIGHTS).properties["DisableLocalAuth"] = False
    assert codes(bot) == ["insights-local-auth"]


def test_a_contributor_assigns_no_roles(bot: ExaminedBot) -> None:
    """What a role excepts is not what it allows."""
    assign(CONTRIBUTOR)(bot)
    (found,) = bot.findings()
    assert found["problem"].endswith("which allows Microsoft.Web/sites/write")


def test_a_role_on_everything(bot: ExaminedBot) -> None:
    """A management group's assignments are listed with the subscription's, which inherits them."""
    assign_to_subscription(bot)
    kind, name = "Microsoft.Authorization/roleAssignments", "77777777-2222-3333-4444-555555555555"
    own = bot.found(kind, name)
    scope = "/providers/Microsoft.Management/managementGroups/contoso"
    moved = {
        "id": f"{scope}/providers/{kind}/{name}",
        "properties": {**own.properties, "scope": scope},
    }
    bot.azure.servers["management.azure.com"].faults.set(
        path=str(own.id).rpartition("/")[0], status=200, body=json.dumps({"value": [moved]})
    )
    (found,) = bot.findings()
    assert found["code"] == "role-too-wide"
    assert "managementGroups/contoso" in found["problem"]


@pytest.mark.parametrize("credential", [CERTIFICATE])
def test_a_certificate_was_replaced(bot: ExaminedBot) -> None:
    """The old one may end; after that, it is only untidy."""
    inventory = bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory
    old = KeyCredential.of(bot.call(inventory.add_version, "old").certificate)
    for days, expected in ((12, []), (-1, [("certificate-expired", "warning")])):
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        bot.call(registration_of(bot).add_key, replace(old, end=end))
        found = bot.findings()
        assert [(each["code"], each["severity"]) for each in found] == expected


def test_a_container(bot: ExaminedBot) -> None:
    """An image brings its own Python."""
    bot.site.properties.pop("functionAppConfig")
    web(linuxFxVersion="DOCKER|contoso.azurecr.io/bot:1")(bot)
    assert bot.findings() == []


def test_another_plan(bot: ExaminedBot) -> None:
    """On Premium and App Service plans, another command changes the runtime."""
    bot.site.properties.pop("functionAppConfig")
    web(linuxFxVersion="Python|3.11")(bot)
    (found,) = bot.findings()
    assert found["code"] == "runtime-version"
    assert "az functionapp config set" in found["cure"]
    assert "'Python|3.13'" in found["cure"]


def test_resources_in_another_subscription(bot: ExaminedBot) -> None:
    """Storage and telemetry may be shared by many."""
    manager = bot.azure.resource_manager
    manager.tenant.subscriptions.append(Subscription(SUBSCRIPTION, "shared"))
    for kind in (STORAGE, INSIGHTS):
        old = bot.found(kind)
        body: JsonObject = {**old.body, "properties": dict(old.properties)}
        bot.remove(old)
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shared"
        bot.call(manager.put, group, {"location": "westeurope"})
        bot.call(manager.put, f"{group}/providers/{kind}/{old.name}", body)
    connection = bot.found(INSIGHTS).properties["ConnectionString"]
    bot.set_settings(APPLICATIONINSIGHTS_CONNECTION_STRING=connection)
    assert set(codes(bot)) == {"role-missing"}


def test_many_components(bot: ExaminedBot) -> None:
    """The one beside the app is read first, and then no other."""
    manager = bot.azure.resource_manager
    group = f"/subscriptions/{manager.subscription_id}/resourceGroups/another"
    bot.call(manager.put, group, {"location": "westeurope"})
    for number in range(20):
        bot.call(manager.put, f"{group}/providers/{INSIGHTS}/a{number}", {"location": "westeurope"})
    assert bot.findings() == []
    read = [path.lower() for path in bot.azure.servers["management.azure.com"].requests]
    assert any(f"{INSIGHTS}/contoso-insights".lower() in path for path in read)
    assert not [path for path in read if f"{INSIGHTS}/a".lower() in path]


@pytest.mark.parametrize("credential", [CERTIFICATE, MANAGED_IDENTITY])
def test_settings_in_a_vault(bot: ExaminedBot) -> None:
    """What a key vault reference stands for is not known, and nothing is wrong with it."""
    give_system_identity(bot)
    for name in (
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "AZURE_CLIENT_ID",
        "CertificateVaultUrl",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        AUTHENTICATION,
    ):
        if bot.settings().get(name):
            bot.set_settings(**{name: f"@Microsoft.KeyVault(VaultName=contoso;SecretName={name})"})
    bot.azure.servers["*.azurewebsites.net"].faults.set(status=403)  # it cannot start here
    web(ipSecurityRestrictions=ONLY_CHANNELS)(bot)
    assert codes(bot) == ["not-looked-at"]


def test_how_telemetry_signs_in_is_in_a_vault(bot: ExaminedBot) -> None:
    """It may well be right."""
    give_system_identity(bot)
    bot.set_settings(**{AUTHENTICATION: "@Microsoft.KeyVault(VaultName=contoso;SecretName=a)"})
    assert bot.findings() == []


def test_a_bot_that_was_not_migrated(bot: ExaminedBot) -> None:
    """Users talk to it: no cure takes its secret away, and the first one leads to `migrate`."""
    bot.set_settings(MicrosoftAppPassword=SECRET_VALUE, BotCredential=None, AZURE_CLIENT_ID=None)
    first, *others = bot.findings()
    assert (first["code"], first["severity"]) == ("setting-password", "error")
    assert first["cure"].startswith("bot migrate status --bot contoso-bot")
    assert not [each for each in others if "appsettings" in each["cure"]]


def test_the_app_signs_in_as_another_bot(bot: ExaminedBot) -> None:
    """The setting is the cause: what the app answers because of it is not reported beside it."""
    setting("MicrosoftAppId", OTHER_GUID)(bot)
    app_answers("/api/identity", 200, json.dumps({"appId": OTHER_GUID}))(bot)
    assert codes(bot) == ["app-id-differs"]


def test_a_busy_bot(bot: ExaminedBot) -> None:
    """More calls are accepted than refused: these are scanners."""
    rows(Turns=5000, Refused=300)(bot)
    assert bot.findings() == []


def test_a_host_that_ended_explains_failed_turns(bot: ExaminedBot) -> None:
    """What the host says of itself comes first, and hides nothing: it may have ended hours ago."""
    rows(Recycled=1, Failed=3)(bot)
    app_answers("/api/health", 503)(bot)
    assert codes(bot) == ["app-unhealthy", "host-recycled", "turns-failed"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MicrosoftAppTenantId", ["setting-reference"]),
        ("WEATHER", ["setting-reference", "app-unhealthy"]),
    ],
)
def test_a_reference_stops_the_bot(bot: ExaminedBot, name: str, expected: list[str]) -> None:
    """If it is one of the bot's own settings, and nothing resolves it, the symptoms are hidden."""
    bot.set_settings(**{name: "@Microsoft.KeyVault(VaultName=contoso;SecretName=a)"})
    app_answers("/api/health", 503)(bot)
    assert codes(bot) == expected


def test_references_are_read_by_a_named_identity(bot: ExaminedBot) -> None:
    """It must be one of the app's."""
    bot.set_settings(WEATHER="@Microsoft.KeyVault(VaultName=contoso;SecretName=weather)")
    own = str(bot.prepared.identity["id"])
    site(keyVaultReferenceIdentity=own)(bot)
    assert bot.findings() == []
    site(keyVaultReferenceIdentity=f"{own}-of-another-app")(bot)
    assert codes(bot) == ["setting-reference"]


@pytest.mark.parametrize("credential", [FEDERATED])
def test_a_vault_that_is_left_over(bot: ExaminedBot) -> None:
    """A bot that signs in without a certificate needs none, and no vault."""
    bot.set_settings(
        CertificateVaultUrl="https://contoso-gone.vault.azure.net", CertificateName="bot"
    )
    assert bot.findings() == []


@pytest.mark.parametrize("credential", [CERTIFICATE])
def test_references_are_read_by_the_system_assigned_identity(bot: ExaminedBot) -> None:
    """An app without any other has that one to name."""
    bot.set_settings(
        AZURE_CLIENT_ID=None,
        AzureWebJobsStorage__clientId=None,
        WEATHER="@Microsoft.KeyVault(VaultName=contoso;SecretName=weather)",
    )
    site(keyVaultReferenceIdentity=f"{bot.site.id}-of-another-app")(bot)
    bot.site.body["identity"] = {"type": "SystemAssigned", "principalId": SYSTEM_PRINCIPAL}
    (found,) = [each for each in bot.findings() if each["code"] == "setting-reference"]
    assert "keyVaultReferenceIdentity=SystemAssigned" in found["cure"]


def test_errors_come_first(bot: ExaminedBot) -> None:
    """Whatever they are about."""
    site(httpsOnly=False)(bot)
    app_answers("/api/messages", 200)(bot)
    assert codes(bot) == ["endpoint-open", "https-only"]
    lines = bot.run("--bot", BOT).output
    assert "Found: 1 error, 1 warning\n  error: endpoint-open\n    a call without a token" in lines
    assert f"\n    az resource update --ids /subscriptions/{bot.azure.group.id[15:51]}" in lines
    assert APP in lines


@pytest.mark.parametrize("credential", [CERTIFICATE])
def test_a_wrong_vault_url_is_one_finding(bot: ExaminedBot) -> None:
    """The setting is what is wrong; to look at the vault again would not help."""
    bot.set_settings(CertificateVaultUrl="https://[")
    assert codes(bot) == ["setting-invalid"]
