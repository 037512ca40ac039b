"""The settings of a bot's app: which of them are secrets, and which identities they name."""

import re
from collections.abc import Iterable, Mapping, Sequence

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.identity import AppIdentity, identities_of
from bot_workbench.admin.plan.settings import (
    STORAGE,
    credential_kind,
    same_name,
    setting,
    storage_account,
)
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
CLIENT_ID = "AZURE_CLIENT_ID"
STORAGE_CLIENT_ID = f"{STORAGE}__clientId"
VAULT_URL, CERTIFICATE_NAME = "CertificateVaultUrl", "CertificateName"

SHOWN_SETTINGS = (
    "MicrosoftAppType",
    "MicrosoftAppId",
    "MicrosoftAppTenantId",
    "BotCredential",
    CLIENT_ID,
    VAULT_URL,
    CERTIFICATE_NAME,
)
"""Settings whose values are no secrets, and say how the bot signs in."""

BOT_SECRET = "MicrosoftAppPassword"  # noqa: S105  # a setting's name

_AGENTS_SECRET = re.compile(r"CONNECTIONS__.+__CLIENTSECRET", re.IGNORECASE)
"""The settings with the secrets of a bot of the Microsoft 365 Agents SDK, one a connection."""

_REFERENCE = re.compile(r"^@Microsoft\.KeyVault\(", re.IGNORECASE)
_SECRET_NAME = re.compile(r"password|secret|accountkey|accesskey|apikey|_key$", re.IGNORECASE)
_NO_SECRETS = re.compile(
    r"AzureWebJobsSecretStorage(Type|KeyVaultUri|KeyVaultName|KeyVaultClientId|KeyVaultTenantId)"
    r"|.*(password|secret|key)_?name",
    re.IGNORECASE,
)
"""Where the Functions host keeps its keys (Azure Functions docs, "App settings reference"), and
names of secrets, as in a key vault."""

_SECRET_VALUE = re.compile(
    r"(AccountKey|SharedAccessKey|SharedAccessSignature|Password)=", re.IGNORECASE
)


def bot_secrets(names: Iterable[str]) -> list[str]:
    """The names of the settings in which a bot with a secret has it, among those of an app."""
    return [name for name in names if same_name(name, BOT_SECRET) or _AGENTS_SECRET.fullmatch(name)]


def references_in(settings: Mapping[str, str]) -> list[str]:
    """The names of the settings that refer to a key vault's secret, whose values only the app
    sees."""
    return sorted(name for name, value in settings.items() if _REFERENCE.match(value))


def secrets_in(settings: Mapping[str, str]) -> list[str]:
    """The names of the settings that hold a secret."""
    return sorted(
        name
        for name, value in settings.items()
        if value and not _REFERENCE.match(value) and name not in SHOWN_SETTINGS
        if not _NO_SECRETS.fullmatch(name)
        if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)
    )


def bot_secret(settings: Mapping[str, str]) -> str:
    """Where the bot's secret is, for people; empty: the settings have none."""
    if held := bot_secrets(secrets_in(settings)):
        return f"the secret in {held[0]}"
    if referring := bot_secrets(references_in(settings)):
        return f"the secret in a key vault, to which {referring[0]} refers"
    return ""


def is_managed_identity(settings: Mapping[str, str]) -> bool:
    """Whether the settings say that the bot is a managed identity."""
    return setting(settings, "MicrosoftAppType").lower() == USER_ASSIGNED_MSI.lower()


def with_client_id(assigned: Sequence[AppIdentity], client_id: str) -> AppIdentity | None:
    """The identity with a client id (GUID in any case); None: none of these has it."""
    wanted = client_id.strip().lower()
    return next((one for one in assigned if one.client_id.lower() == wanted), None)


def identity_of(site: JsonObject, settings: Mapping[str, str]) -> AppIdentity | None:
    """The identity that the bot is, or that reaches what proves the bot; None if that is not clear.
    If the settings name none, it is the system-assigned one (docs/settings.md, `AZURE_CLIENT_ID`).

    Args:
        site: the app.
        settings: the app's.
    """
    names = ("MicrosoftAppId",) if is_managed_identity(settings) else (CLIENT_ID, STORAGE_CLIENT_ID)
    given = [value for name in names if (value := setting(settings, name))]
    assigned = identities_of(site)
    for client_id in given:
        if found := with_client_id(assigned, client_id):
            return found
    if not assigned and not given:
        return system_identity(site)
    return assigned[0] if len(assigned) == 1 else None


def storage_identities(
    site: JsonObject, identity: AppIdentity | None, settings: Mapping[str, str]
) -> list[AppIdentity]:
    """The identities that reach the storage account: the host's, and the bot's.

    Without a client id of its own, the host takes the app's system-assigned identity (Azure
    Functions docs, "Connecting to host storage with an identity"), and the bot AZURE_CLIENT_ID.

    Args:
        site: the app.
        identity: the one that the bot works with; None: that is not clear.
        settings: the app's.
    """
    assigned = identities_of(site)
    if named := setting(settings, STORAGE_CLIENT_ID):
        found = with_client_id(assigned, named)
        return [found] if found else []
    found = with_client_id(assigned, setting(settings, CLIENT_ID)) or identity
    return list(dict.fromkeys(one for one in (found, system_identity(site)) if one))


def system_identity(site: JsonObject) -> AppIdentity | None:
    """The system-assigned identity of an app; None: it has none."""
    principal = (site.get("identity") or {}).get("principalId")
    return AppIdentity("system-assigned", str(principal), "") if principal else None


def lacks_client_id(site: JsonObject, settings: Mapping[str, str], name: str) -> bool:
    """Whether the app signs in with its system-assigned identity, because a setting that would name
    another one is not set, and it has none.

    Args:
        site: the app.
        settings: the app's.
        name: CLIENT_ID, with which the bot reaches its key vault, or STORAGE_CLIENT_ID, with which
            the host reaches its storage account (as in `storage_identities`).
    """
    if setting(settings, name).strip() or system_identity(site):
        return False
    if name == STORAGE_CLIENT_ID:
        is_named = setting(settings, f"{STORAGE}__credential").strip() and storage_account(settings)
        return bool(is_named) and not setting(settings, STORAGE)
    kind = credential_kind(settings)
    return bool(kind and kind.has_certificate and setting(settings, VAULT_URL))


def telemetry_identity(site: JsonObject, authentication: str) -> AppIdentity | None:
    """The identity with which the app writes telemetry; None: none, or none of the app's.

    Microsoft reference: "APPLICATIONINSIGHTS_AUTHENTICATION_STRING".

    Args:
        site: the app.
        authentication: the setting's value, such as "Authorization=AAD;ClientId=GUID".
    """
    named = fields_of(authentication)
    if named.get("authorization", "").lower() != "aad":
        return None
    if client_id := named.get("clientid"):
        return with_client_id(identities_of(site), client_id)
    return system_identity(site)


def fields_of(connection: str) -> dict[str, str]:
    """The values in a text such as "Authorization=AAD;ClientId=GUID", by their names in lower
    case."""
    pairs = (pair.partition("=")[::2] for pair in connection.split(";"))
    return {name.strip().lower(): value.strip() for name, value in pairs}
