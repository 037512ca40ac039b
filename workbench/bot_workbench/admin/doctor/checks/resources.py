"""Checks of the storage account, the key vault and Application Insights."""

from collections.abc import Iterator, Sequence

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.doctor.cures import (
    SETTINGS_PAGE,
    certificate_again,
    change,
    connect_insights,
    set_property,
    set_settings,
)
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import (
    CERTIFICATE,
    IDENTITY,
    NOT_LOOKED_AT,
    STORAGE_ACCOUNT,
    UNKNOWN,
    Diagnosis,
    error,
    warning,
)
from bot_workbench.admin.doctor.parts.identities import (
    AUTHENTICATION,
    STORAGE_CLIENT_ID,
    telemetry_identity,
)
from bot_workbench.admin.doctor.parts.logs import CONNECTION
from bot_workbench.admin.doctor.parts.resources import VaultPart
from bot_workbench.admin.doctor.setting_rules import (
    SETTING_NAMES,
    names_queued_turns,
    names_storage,
)
from bot_workbench.admin.migrate.certificate.registration.key_credentials import entry_thumbprint
from bot_workbench.admin.migrate.thumbprints import of_identifier
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.setting_names import STORAGE, credential_kind, setting
from bot_workbench.admin.plan.shell import az

CLOSED = "admits no public address, and the app has no virtual network: the bot cannot reach it"
THUMBPRINTS = "CertificateThumbprint"
ROLES_LOST = "Its role assignments do not come back: run the doctor again, for yours, too."
CREDENTIAL = f"{STORAGE}__credential"
OLD_TLS = ("TLS1_0", "TLS1_1")


def check_storage(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the storage account exists, and lets nobody in by a key."""
    storage = bot.storage.value
    if storage is None:
        return
    if not storage.name:
        yield from _no_storage(bot, storage.beside)
        return
    if not storage.id:
        yield error(
            "storage-missing",
            f"your account sees no storage account {storage.name}, which the settings name",
            _storage_settings(bot, storage.beside),
            stops=True,
            spoils=(STORAGE_ACCOUNT,),
        )
        return
    properties, account = storage.found["properties"], storage.found
    if cure := _opening(bot, "storage account update", account):
        yield error("storage-network", f"{storage.name} {CLOSED}", cure, stops=True)
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


def _no_storage(bot: DeployedBot, beside: Sequence[str]) -> Iterator[Diagnosis]:
    """The settings name no account; one that is wrong, or misspelled, is a finding of its own."""
    values = bot.settings.value or {}
    if names_storage(values) or any(
        meant_name(each, SETTING_NAMES).startswith(STORAGE) for each in values
    ):
        return
    text, cure = "the settings name no storage account", _storage_settings(bot, beside)
    if names_queued_turns(values):
        yield error(
            "storage-missing",
            f"{text}, which queued turns need",
            cure,
            stops=True,
            spoils=(STORAGE_ACCOUNT,),
        )
    else:
        yield warning(
            "storage-missing", f"{text}: each process forgets its conversations when it ends", cure
        )


def _storage_settings(bot: DeployedBot, beside: Sequence[str]) -> str:
    """The command that names the account that has the app's package, or the only one of its group.
    In some clouds the settings have the URLs of its services."""
    config = bot.site["properties"].get("functionAppConfig") or {}
    deployed = ((config.get("deployment") or {}).get("storage") or {}).get("value") or ""
    packages = host_of(str(deployed)).partition(".")[0]
    known = [packages] if packages in beside else beside
    if len(known) != 1:
        return (
            f"Set {STORAGE}__accountName to the bot's storage account. If it was deleted, messages"
            " and state are lost: docs/deploy-by-hand.md, steps 3 and 6, make a new one"
        )
    values, domains = bot.known_if_read, {}
    for service in ("blob", "queue"):
        name = f"{STORAGE}__{service}ServiceUri"
        if domain := host_of(setting(values, name)).partition(".")[2]:
            domains[name] = f"https://{known[0]}.{domain}"
    named = domains or {f"{STORAGE}__accountName": known[0]}
    if not setting(bot.settings.value or {}, CREDENTIAL):
        named[CREDENTIAL] = "managedidentity"
    if bot.identity and bot.identity.client_id and not setting(values, STORAGE_CLIENT_ID):
        named[STORAGE_CLIENT_ID] = bot.identity.client_id
    return set_settings(bot.target.site_id, **named)


def _opening(bot: DeployedBot, command: str, resource: JsonObject) -> str:
    """The command that lets the app reach a resource whose firewall admits nobody from public
    addresses; empty: it admits some, or the app calls from a virtual network."""
    properties = resource["properties"]
    rules = properties.get("networkAcls") or {}
    denies = str(rules.get("defaultAction") or "").lower() == "deny" and not rules.get("ipRules")
    is_off = str(properties.get("publicNetworkAccess") or "").lower() == "disabled"
    if bot.site["properties"].get("virtualNetworkSubnetId") or not (denies or is_off):
        return ""
    options = {"public_network_access": "Enabled"} if is_off else {}
    if str(rules.get("defaultAction") or "").lower() == "deny":
        options["default_action"] = "Allow"
    opening = change(command, resource, **options)
    return f"Give the app a virtual network that it admits, or open it:\n{opening}"


def check_vault(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the key vault exists, uses roles, and cannot be emptied, if the bot signs in with a
    certificate."""
    part, kind = bot.vault.value, credential_kind(bot.known_if_read)
    if part is None or not part.vault.name or (kind and not kind.has_certificate):
        return
    name = part.vault.name
    if part.deleted_in:
        where = {"--name": name, "--location": part.deleted_in}
        yield error(
            "vault-deleted",
            f"the key vault {name} was deleted, and can be recovered",
            "\n".join((az("keyvault recover", where), ROLES_LOST)),
            stops=True,
            spoils=(CERTIFICATE,),
        )
    elif not part.vault.id:
        right = _registered_certificate(bot, part) or (
            f"Set CertificateVaultUrl to the vault of the bot's certificate. {SETTINGS_PAGE}"
        )
        recovery = az("keyvault recover", {"--name": name})
        yield error(
            "vault-missing",
            f"your account sees no key vault {name}, which CertificateVaultUrl names",
            f"If it was deleted:\n{recovery}\nIf another one is meant:\n{right}"
            if part.deleted_in is None
            else right,
            stops=True,
            spoils=(CERTIFICATE,),
        )
    else:
        yield from _vault_properties(bot, part.vault.found)
    if not part.vault.found.get("properties", {}).get("enableRbacAuthorization"):
        return  # the certificate is read by a role
    if part.versions is None:
        yield Diagnosis(
            NOT_LOOKED_AT,
            UNKNOWN,
            f"not looked at: the certificate's versions: {part.problem}",
            part.cure,
        )
    elif part.is_disabled and not _signs_in_with_older(bot, part):
        options = {"--vault-name": name, "--name": part.certificate, "--enabled": "true"}
        yield error(
            "certificate-disabled",
            f"the newest version of the certificate {part.certificate} in the key vault {name} is"
            " disabled, and no other one can sign in",
            az("keyvault certificate set-attributes", options),
            stops=True,
            spoils=(CERTIFICATE,),
        )
    elif part.vault.id and part.certificate and not part.versions:
        options = {"--vault-name": name, "--name": part.certificate}
        recovery = az("keyvault certificate recover", options) if part.is_deleted else ""
        state = ": it was deleted, and can be recovered" if part.is_deleted else ""
        yield error(
            "certificate-missing",
            f"the key vault {name} has no certificate {part.certificate}{state}",
            recovery
            or _registered_certificate(bot, part)
            or certificate_again(bot, name, part.certificate),
            stops=True,
            spoils=(CERTIFICATE,),
        )
    else:
        yield from _thumbprints(bot, part.versions)


def _thumbprints(bot: DeployedBot, versions: Sequence[JsonObject]) -> Iterator[Diagnosis]:
    """The settings allow other certificates than those of the vault: the bot refuses them."""
    kind = credential_kind(bot.known_if_read)
    listed = setting(bot.known_if_read, THUMBPRINTS)
    allowed = {of_identifier(each.strip()).sha1 for each in listed.split(",") if each.strip()}
    made = [of_identifier(str(one.get("x5t") or "")).sha1 for one in versions]
    if not allowed or not made or allowed & {*made} or not (kind and kind.has_certificate):
        return
    registered = _registered(bot)
    right = next((each for each in made if each in registered), made[0])
    yield error(
        "setting-invalid",
        f"the setting {THUMBPRINTS} allows none of the certificates in the key vault",
        set_settings(bot.target.site_id, **{THUMBPRINTS: right}),
        stops=True,
    )


def _registered(bot: DeployedBot) -> set[str]:
    """The thumbprints of the certificates that are on the app registration."""
    directory = bot.directory.value
    application = directory.application if directory else {}
    return {entry_thumbprint(one) for one in application.get("keyCredentials") or ()}


def _signs_in_with_older(bot: DeployedBot, part: VaultPart) -> bool:
    """Whether an enabled version is registered; the bot takes no disabled one."""
    enabled = {of_identifier(str(one.get("x5t") or "")).sha1 for one in part.versions or ()}
    return bool(enabled & _registered(bot))


def _registered_certificate(bot: DeployedBot, part: VaultPart) -> str:
    """The command that names the certificate that is on the app registration, if one of the vaults
    beside the app has it; else empty."""
    registered = _registered(bot)
    found = [one for one in part.others if one.thumbprint in registered]
    if len(found) != 1:
        return ""
    right = {"CertificateVaultUrl": found[0].vault_url, "CertificateName": found[0].name}
    now = {name: setting(bot.known_if_read, name).rstrip("/").lower() for name in right}
    wrong = {name: value for name, value in right.items() if value.lower() != now[name]}
    return set_settings(bot.target.site_id, **wrong)


def _vault_properties(bot: DeployedBot, vault: JsonObject) -> Iterator[Diagnosis]:
    properties, name = vault["properties"], vault["name"]
    if cure := _opening(bot, "keyvault update", vault):
        yield error("vault-network", f"the key vault {name} {CLOSED}", cure, stops=True)
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
            connect_insights(app, found.beside[0])
            if len(found.beside) == 1
            else 'docs/deploy-by-hand.md, "Logs without a key"; azd sets it',
        )
        return
    if not setting(bot.known, CONNECTION):
        return  # a key vault reference
    if not found.component:
        yield warning(
            "insights-missing",
            f"your account sees no Application Insights component that {CONNECTION} is of",
            connect_insights(app, found.beside[0])
            if len(found.beside) == 1
            else 'docs/deploy-by-hand.md, "Logs without a key", says how to make one and name it',
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
        ending = f";ClientId={bot.identity.client_id}" if bot.identity else ""
        right = f"Authorization=AAD{ending}".removesuffix(";ClientId=")
        yield error(
            "insights-authentication",
            f"{component['name']} accepts only an identity's telemetry, and {AUTHENTICATION} names"
            f" none of {app.name}: what the bot sends is refused",
            set_settings(app, **{AUTHENTICATION: right})
            if bot.identity
            else f"Set {AUTHENTICATION} with the client id of one of them. {SETTINGS_PAGE}",
            needs=(IDENTITY,),
        )
    if not found.workspace and not found.refusal:
        yield warning(
            "insights-no-workspace",
            f"{component['name']} has no Log Analytics workspace that your account sees",
            set_property(str(component["id"]), "properties.WorkspaceResourceId", found.beside[0])
            if len(found.beside) == 1
            else 'Give it one: docs/deploy-by-hand.md, "Logs without a key"',
        )


def _authenticates(bot: DeployedBot, text: str) -> bool:
    """Whether the app writes telemetry with an identity, as far as its setting says so here."""
    is_reference = bool(text) and not setting(bot.known, AUTHENTICATION)
    return is_reference or telemetry_identity(bot.site, text) is not None
