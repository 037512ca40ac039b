"""Settings that are nearly right, and the cure of those that are wrong."""

import json
import shlex

import pytest

from bot_workbench.admin.doctor.setting_rules import SETTING_NAMES
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.credential_kinds import KINDS
from tests.admin.doctor.examined_bot import CERTIFICATE, ExaminedBot
from tests.admin.doctor.harms import OTHER_GUID, SECRET_VALUE
from tests.admin.migrate.migration import VAULT
from tests.support.project import ROOT

SLIPS = {
    "AZURECLIENTID": "AZURE_CLIENT_ID",
    "AZURE_CLIENTID": "AZURE_CLIENT_ID",
    "AllowedCaller": "AllowedCallers",
    "AllowedServiceHost": "AllowedServiceHosts",
    "AllowedTenant": "AllowedTenants",
    "AllowedTenent": "AllowedTenants",
    "AzureWebJobStorage__accountName": "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage:accountName": "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage_accountName": "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__AccountName": "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__acountName": "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__blobServiceUrl": "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientID": "AzureWebJobsStorage__clientId",
    "BOT_TURNS": "BotTurns",
    "BotCredental": "BotCredential",
    "BotCredentail": "BotCredential",
    "BotCredentials": "BotCredential",
    "BotTruns": "BotTurns",
    "BotTurn": "BotTurns",
    "BotTurns ": "BotTurns",
    "CertificateNames": "CertificateName",
    "CertificateThumprint": "CertificateThumbprint",
    "CertificateVaultURL": "CertificateVaultUrl",
    "CertificateVaultUri": "CertificateVaultUrl",
    "ChanelService": "ChannelService",
    "ChannelServices": "ChannelService",
    "MICROSOFT_APP_ID": "MicrosoftAppId",
    "MicrosftAppId": "MicrosoftAppId",
    "MicrosoftAppTenantID": "MicrosoftAppTenantId",
    "MicrosoftAppTyp": "MicrosoftAppType",
}
"""What somebody writes, and what they mean."""

OWN = (
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_KEY",
    "AZURE_CLIENT_SECRET",
    "AZURE_KEYVAULT_URL",
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_TENANT_ID",
    "AllowedAgents",
    "AllowedChannels",
    "AllowedDomains",
    "AllowedHosts",
    "AllowedUsers",
    "AppId",
    "AuthUrl",
    "BOT_ID",
    "BOT_PASSWORD",
    "BOT_TENANT_ID",
    "BOT_TYPE",
    "BotName",
    "BotOwners",
    "BotTheme",
    "BotTimeout",
    "BotToken",
    "BotTokenSecret",
    "BotTokenUrl",
    "CertificateData",
    "CertificateFile",
    "CertificateFolder",
    "CertificateHash",
    "CertificateName2",
    "CertificatePassword",
    "CertificateUrl",
    "ChannelAccessToken",
    "ChannelSecret",
    "ChannelServiceUrl",
    "ClientId",
    "ConnectionName",
    "Credential",
    "KeyVaultName",
    "MicrosoftAppIdUri",
    "MicrosoftAppName",
    "MicrosoftGraphAppId",
    "OAUTH_URL",
    "OAuthConnectionName",
    "SkillAppId",
    "SkillEndpoint",
    "SkillHostEndpoint",
    "TURNS",
    "TeamsAppId",
    "TenantId",
    "VaultUrl",
    "WEATHER_API_URL",
)
"""Settings of authors that say nothing to the bot."""

PLATFORM = (
    "APPINSIGHTS_INSTRUMENTATIONKEY",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "ApplicationInsightsAgent_EXTENSION_VERSION",
    "AzureFunctionsJobHost__logging__logLevel__default",
    "AzureWebJobsBlobStorage",
    "AzureWebJobsDashboard",
    "AzureWebJobsFeatureFlags",
    "AzureWebJobsMyStorage__accountName",
    "AzureWebJobsSecretStorageType",
    "AzureWebJobsServiceBus",
    "AzureWebJobsStorage__clientSecret",
    "AzureWebJobsStorage__fileServiceUri",
    "AzureWebJobsStorage__managedIdentityResourceId",
    "AzureWebJobsStorage__tableServiceUri",
    "AzureWebJobsStorage__tenantId",
    "BlobStorage__credential",
    "DEPLOYMENT_STORAGE_CONNECTION_STRING",
    "FUNCTIONS_WORKER_RUNTIME",
    "MicrosoftAppPassword",
    "MyStorage__accountName",
    "PYTHON_ENABLE_WORKER_EXTENSIONS",
    "WEBSITE_TIME_ZONE",
)
"""Settings that Azure, the Functions host, or another trigger's connection reads."""


@pytest.mark.parametrize(("written", "meant"), SLIPS.items())
def test_a_slip_is_recognized(written: str, meant: str) -> None:
    """Whatever case and marks it is written with."""
    assert meant_name(written, SETTING_NAMES) == meant


@pytest.mark.parametrize("name", [*OWN, *PLATFORM])
def test_an_own_setting_is_no_slip(name: str) -> None:
    """However much it begins or ends like one of the bot's."""
    assert meant_name(name, SETTING_NAMES) == ""


def test_every_setting_is_known() -> None:
    """Those of the settings file; and no name that is read is a slip of another one."""
    listed = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))["Values"]
    rare = {"AZURE_AUTHORITY_HOST", "OAuthUrl", "DANGEROUSLY_ALLOW_UNAUTHENTICATED"}
    unlisted = {name for name in listed if name not in SETTING_NAMES and not name.startswith("To")}
    assert unlisted == rare | {"FUNCTIONS_WORKER_RUNTIME"}
    assert not [name for name in SETTING_NAMES if meant_name(name, set(SETTING_NAMES) - {name})]


def pasted(cure: str) -> tuple[dict[str, str], list[str]]:
    """What the cure's commands set, and what they delete."""
    changed: dict[str, str] = {}
    deleted: list[str] = []
    for line in cure.splitlines():
        words = shlex.split(line)
        if "--settings" in words:
            pairs = words[words.index("--settings") + 1 :]
            changed |= {name: text for name, _, text in (each.partition("=") for each in pairs)}
        elif "--setting-names" in words:
            deleted += words[words.index("--setting-names") + 1 :]
    return changed, deleted


def heal(bot: ExaminedBot, cure: str) -> None:
    """Do what the cure says."""
    changed, deleted = pasted(cure)
    assert changed or deleted, cure
    bot.set_settings(**changed, **dict.fromkeys(deleted))


@pytest.mark.parametrize(
    ("written", "meant", "severity"),
    [
        ("BotCredental", "BotCredential", "error"),
        ("BotTurn", "BotTurns", "warning"),
        ("AllowedTenant", "AllowedTenants", "warning"),
        ("MicrosoftAppTenantID", "MicrosoftAppTenantId", "error"),
        ("AzureWebJobsStorage_accountName", "AzureWebJobsStorage__accountName", "error"),
    ],
)
def test_a_slip_is_cured(bot: ExaminedBot, written: str, meant: str, severity: str) -> None:
    """One finding, an error only if the bot does not start without the setting; its cure moves the
    value."""
    values = {"BotTurns": "queued", "AllowedTenants": f"{OTHER_GUID},{bot.tenant_id}"}
    right = {**values, **bot.settings()}[meant]
    bot.set_settings(**{meant: None, written: right})
    (found,) = bot.findings()
    assert (found["code"], found["severity"]) == ("setting-misspelled", severity)
    heal(bot, found["cure"])
    assert bot.findings() == []
    assert bot.settings()[meant] == right


def test_a_slip_beside_the_right_name(bot: ExaminedBot) -> None:
    """The templates set BotTurns: what somebody added later has no effect, and is deleted."""
    bot.set_settings(BotTurns="Inline", BotTurn="Queued")
    (found,) = bot.findings()
    assert (found["code"], found["severity"]) == ("setting-misspelled", "warning")
    assert "no effect" in found["problem"]
    heal(bot, found["cure"])
    assert bot.findings() == []
    bot.set_settings(MICROSOFT_APP_ID=bot.app_id)  # for code of the author's
    assert bot.findings() == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("AzureWebJobStorage", f"AccountName=contoso;AccountKey={SECRET_VALUE}"),
        ("CertificatePaths", SECRET_VALUE),
        ("AllowedTenant", SECRET_VALUE),
        ("ChannelServices", SECRET_VALUE),
        ("CertificateThumprint", SECRET_VALUE),
    ],
)
def test_a_slip_with_a_secret(bot: ExaminedBot, written: str, value: str) -> None:
    """Its value is not shown, and no placeholder stands for it."""
    bot.set_settings(**{written: value})
    found = bot.findings()
    assert "setting-misspelled" in [each["code"] for each in found]
    assert SECRET_VALUE not in str(found)
    assert "VALUE" not in str(found)


@pytest.mark.parametrize("credential", [CERTIFICATE])
@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("MicrosoftAppId", None, "APP_ID"),
        ("MicrosoftAppId", '"APP_ID"', "APP_ID"),
        ("MicrosoftAppType", "SingleTenent", "SingleTenant"),
        ("MicrosoftAppTenantId", "contoso.com", "TENANT_ID"),
        ("AZURE_CLIENT_ID", "{CLIENT_ID}", "CLIENT_ID"),
        ("AZURE_CLIENT_ID", "contoso-functions", "CLIENT_ID"),
        ("BotCredential", None, "Certificate"),
        ("BotCredential", "Certifcate", "Certificate"),
        ("BotCredential", "ManagedIdentity", "Certificate"),
        ("BotTurns", "Queue", "Queued"),
        ("CertificateVaultUrl", VAULT, f"https://{VAULT}.vault.azure.net"),
        (
            "CertificateVaultUrl",
            f"http://{VAULT}.vault.azure.net",
            f"https://{VAULT}.vault.azure.net",
        ),
        (
            "CertificateVaultUrl",
            f"https://{VAULT}.vault.azure.net/certificates/bot-certificate",
            f"https://{VAULT}.vault.azure.net",
        ),
        ("CertificateSendX5c", "treu", "true"),
        ("ChannelService", "https://botframework.azure.com", None),
        ("AllowedTenants", "'TENANT_ID'; 'CLIENT_ID'", "TENANT_ID,CLIENT_ID"),
        ("AllowedServiceHosts", "https://contoso.com/api", "contoso.com"),
        ("AllowedCallers", "APP_ID", None),
        ("AllowedCallers", f"APP_ID,{OTHER_GUID}", OTHER_GUID),
        ("CertificatePath", "certificate.pem", None),
        ("AzureWebJobsStorage__credential", "managedidentiy", "managedidentity"),
    ],
)
def test_a_wrong_value_is_cured(
    bot: ExaminedBot, name: str, value: str | None, right: str | None
) -> None:
    """One finding; pasted, its cure sets what the Azure Bot, the app's identity or the value itself
    says; None: nothing."""
    known = {
        "APP_ID": bot.app_id,
        "TENANT_ID": bot.tenant_id,
        "CLIENT_ID": str(bot.prepared.identity["clientId"]),
    }

    def filled(text: str | None) -> str | None:
        for key, each in known.items():
            text = text and text.replace(key, each)
        return text

    bot.set_settings(**{name: filled(value)})
    (found,) = bot.findings()
    assert found["code"] == "setting-invalid"
    heal(bot, found["cure"])
    assert bot.findings() == []
    assert bot.settings().get(name) == filled(right)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BotTurns", "Later"),
        ("AllowedTenants", "contoso.com"),
        ("AllowedTenants", ", ,"),
        ("OAuthUrl", "http://contoso.com"),
    ],
)
def test_a_value_that_only_the_author_knows(bot: ExaminedBot, name: str, value: str) -> None:
    """A sentence with a page, and no command; an empty list would admit everyone."""
    bot.set_settings(**{name: value})
    (found,) = [each for each in bot.findings() if each["code"] == "setting-invalid"]
    assert "docs/" in found["cure"]
    assert not found["cure"].startswith("az ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MicrosoftAppType", "Singletenant"),
        ("MicrosoftAppId", " APP_ID "),
        ("BotTurns", "QUEUED"),
        ("BotTurns", " inline"),
        ("ChannelService", ""),
    ],
)
def test_what_the_bot_takes_is_no_finding(bot: ExaminedBot, name: str, value: str) -> None:
    """Any case, and white space around it."""
    bot.set_settings(**{name: value.replace("APP_ID", bot.app_id)})
    assert bot.findings() == []


@pytest.mark.parametrize("credential", [CERTIFICATE])
@pytest.mark.parametrize("name", ["CertificateVaultUrl", "CertificateName", "AZURE_CLIENT_ID"])
def test_white_space_is_no_finding(bot: ExaminedBot, name: str) -> None:
    """A value that was pasted with its line break: the bot does not read it."""
    bot.set_settings(**{name: f"{bot.settings()[name]}\n"})
    assert bot.findings() == []


@pytest.mark.parametrize("credential", KINDS)
def test_the_credential_that_the_bot_has(bot: ExaminedBot, credential: str) -> None:
    """It is known from the bot's type, the vault's roles, and the app registration."""
    for value in (None, "Secret") if bot.registration else ("Secret", "Federated"):
        bot.set_settings(BotCredential=value)
        (found,) = bot.findings()
        assert found["code"] == "setting-invalid"
        heal(bot, found["cure"])
        assert bot.findings() == []
        assert bot.settings().get("BotCredential") == (credential if bot.registration else None)
