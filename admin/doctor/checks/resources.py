"""Checks of the storage account, the key vault and Application Insights."""

from collections.abc import Iterator

from admin.azure.json_object import JsonObject
from admin.doctor.cures import change, set_property, set_settings
from admin.doctor.deployed_bot import DeployedBot
from admin.doctor.diagnosis import NOT_LOOKED_AT, UNKNOWN, Diagnosis, error, warning
from admin.doctor.parts.identities import AUTHENTICATION, telemetry_identity
from admin.doctor.parts.logs import CONNECTION
from admin.plan.setting_names import setting
from admin.plan.shell import az

OLD_TLS = ("TLS1_0", "TLS1_1")


def check_storage(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the storage account exists, and lets nobody in by a key."""
    storage = bot.storage.value
    if storage is None or not storage.name:
        return
    if not storage.id:
        yield error(
            "storage-missing",
            f"your account sees no storage account {storage.name}, which the settings name",
            set_settings(bot.target.site_id, AzureWebJobsStorage__accountName="ACCOUNT"),
        )
        return
    properties, account = storage.found["properties"], storage.found
    if properties.get("allowSharedKeyAccess") is not False:
        yield warning(
            "storage-shared-keys",
            f"{storage.name} accepts account keys, which are secrets",
            change("storage account update", account, allow_shared_key_access="false"),
        )
    if properties.get("allowBlobPublicAccess") is True:
        yield warning(
            "storage-public-blobs",
            f"{storage.name} allows containers that everybody can read",
            change("storage account update", account, allow_blob_public_access="false"),
        )
    if properties.get("minimumTlsVersion") in OLD_TLS:
        yield warning(
            "storage-tls",
            f"{storage.name} accepts TLS older than 1.2",
            change("storage account update", account, min_tls_version="TLS1_2"),
        )


def check_vault(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the key vault exists, uses roles, and cannot be emptied."""
    part = bot.vault.value
    if part is None or not part.vault.name:
        return
    name = part.vault.name
    if part.deleted_in:
        yield error(
            "vault-deleted",
            f"the key vault {name} was deleted, and can be recovered",
            az("keyvault recover", {"--name": name, "--location": part.deleted_in}),
            stops=True,
        )
    elif not part.vault.id:
        right = set_settings(bot.target.site_id, CertificateVaultUrl="https://NAME.vault.azure.net")
        recovery = az("keyvault recover", {"--name": name})
        yield error(
            "vault-missing",
            f"your account sees no key vault {name}, which CertificateVaultUrl names",
            f"If it was deleted:\n{recovery}\nIf another one is meant:\n{right}"
            if part.deleted_in is None
            else right,
            stops=True,
        )
    else:
        yield from _vault_properties(part.vault.found)
    if not part.vault.found.get("properties", {}).get("enableRbacAuthorization"):
        return  # the certificate is read by a role
    if part.versions is None:
        yield Diagnosis(
            NOT_LOOKED_AT,
            UNKNOWN,
            f"not looked at: the certificate's versions: {part.problem}",
            part.cure,
        )
    elif part.is_disabled:
        options = {"--vault-name": name, "--name": part.certificate, "--enabled": "true"}
        yield error(
            "certificate-disabled",
            f"the certificate {part.certificate} in the key vault {name} is disabled",
            az("keyvault certificate set-attributes", options),
            stops=True,
        )
    elif part.vault.id and part.certificate and not part.versions:
        yield error(
            "certificate-missing",
            f"the key vault {name} has no enabled certificate {part.certificate}",
            bot.target.options.command_line("certificate", "--vault", name, app=bot.app_name),
            stops=True,
        )


def _vault_properties(vault: JsonObject) -> Iterator[Diagnosis]:
    properties, name = vault["properties"], vault["name"]
    if not properties.get("enableRbacAuthorization"):
        yield error(
            "vault-access-policies",
            f"the key vault {name} uses access policies in place of roles",
            change("keyvault update", vault, enable_rbac_authorization="true"),
            stops=True,
        )
    if not properties.get("enablePurgeProtection"):
        yield warning(
            "vault-purge-protection",
            f"the key vault {name} can be purged with everything in it",
            change("keyvault update", vault, enable_purge_protection="true"),
        )


def check_monitoring(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether somebody could see what the bot does, and whether only the bot can write that."""
    values, found = bot.settings.value, bot.monitoring.value
    if values is None or found is None:
        return
    app = bot.target.site_id
    if not setting(values, CONNECTION):
        yield warning(
            "insights-off",
            f"{CONNECTION} is not set: nobody can see later what the bot has done",
            'docs/deploy-by-hand.md, "Logs without a key"; azd sets it',
        )
        return
    if not setting(bot.known, CONNECTION):
        return  # a key vault reference
    if not found.component:
        yield warning(
            "insights-missing",
            f"your account sees no Application Insights component that {CONNECTION} is of",
            set_settings(app, **{CONNECTION: "CONNECTION_STRING"}),
        )
        return
    component = found.component
    if component["properties"].get("DisableLocalAuth") is not True:
        yield warning(
            "insights-local-auth",
            f"{component['name']} accepts telemetry from everybody who knows its key",
            set_property(str(component["id"]), "properties.DisableLocalAuth", "true"),
        )
    elif (bot.assigned or bot.identity) and not _authenticates(
        bot, setting(values, AUTHENTICATION)
    ):
        client_id = bot.identity.client_id if bot.identity else "CLIENT_ID"
        right = f"Authorization=AAD;ClientId={client_id}" if client_id else "Authorization=AAD"
        yield error(
            "insights-authentication",
            f"{component['name']} accepts only an identity's telemetry, and {AUTHENTICATION} names"
            f" none of {app.name}: what the bot sends is refused",
            set_settings(app, **{AUTHENTICATION: right}),
        )
    if not found.workspace and not found.refusal:
        yield warning(
            "insights-no-workspace",
            f"{component['name']} has no Log Analytics workspace that your account sees",
            set_property(str(component["id"]), "properties.WorkspaceResourceId", "WORKSPACE_ID"),
        )


def _authenticates(bot: DeployedBot, text: str) -> bool:
    """Whether the app writes telemetry with an identity, as far as its setting says so here."""
    is_reference = bool(text) and not setting(bot.known, AUTHENTICATION)
    return is_reference or telemetry_identity(bot.site, text) is not None
