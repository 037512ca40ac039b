"""Checks of the storage account, the key vault and Application Insights, and of the roles on
them."""

from collections.abc import Iterator, Sequence
from functools import partial

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
from bot_workbench.admin.doctor.diagnosis import (
    Diagnosis,
    Subject,
    check,
    error,
    findings,
    not_looked_at,
    warning,
)
from bot_workbench.admin.doctor.setting_rules import (
    SETTING_NAMES,
    names_queued_turns,
    names_storage,
)
from bot_workbench.admin.migrate.certificate.app_registration import entry_thumbprint
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    AUTHENTICATION,
    CONNECTION,
    STORAGE_CLIENT_ID,
    VAULT_URL,
    telemetry_identity,
)
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.migrate.deployed_bot.resources import NamedVault, enabled, thumbprints_of
from bot_workbench.admin.migrate.steps.roles import AssignedRole, allows
from bot_workbench.admin.migrate.thumbprints import of_identifier
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.settings import STORAGE, credential_kind, setting
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.target import DEPLOY_AGAIN

CLOSED = "admits no public address, and the app has no virtual network: the bot cannot reach it"
THUMBPRINTS = "CertificateThumbprint"
CREDENTIAL = f"{STORAGE}__credential"

POWERS = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Web/sites/write",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.KeyVault/vaults/write",
)
"""The roles that no bot needs: each is a way to more than the bot's own data."""


@check(
    "resources",
    "storage account",
    "storage-missing",
    "storage-shared-keys",
    "storage-tls",
    "storage-public-blobs",
    "storage-network",
)
def check_storage(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the storage account exists, and lets nobody in by a key."""
    storage = bot.storage.require()
    if not storage.name:
        yield from _no_storage(bot, storage.beside)
        return
    if not storage.id:
        yield error(
            "storage-missing",
            f"your account sees no storage account {storage.name}, which the settings name",
            _storage_settings(bot, storage.beside),
            stops=True,
            spoils=("storage account",),
        )
        return
    properties, name = storage.found["properties"], storage.name
    opening = _opening(bot, "storage account update", storage.found)
    updated = partial(change, "storage account update", storage.found)
    yield from findings(
        (opening, error("storage-network", f"{name} {CLOSED}", opening, stops=True)),
        (
            properties.get("allowSharedKeyAccess") is not False,
            warning(
                "storage-shared-keys",
                f"{name} accepts account keys, which are secrets",
                updated(allow_shared_key_access="false"),
            ),
        ),
        (
            properties.get("allowBlobPublicAccess") is True,
            warning(
                "storage-public-blobs",
                f"{name} allows containers that everybody can read",
                updated(allow_blob_public_access="false"),
            ),
        ),
        (
            properties.get("minimumTlsVersion") in ("TLS1_0", "TLS1_1"),
            warning(
                "storage-tls",
                f"{name} accepts TLS older than 1.2",
                updated(min_tls_version="TLS1_2"),
            ),
        ),
    )


def _no_storage(bot: DeployedBot, beside: Sequence[str]) -> Iterator[Diagnosis]:
    """The settings name no account; one that is wrong, or misspelled, is a finding of its own."""
    values = bot.settings.require()
    if names_storage(values) or any(
        meant_name(each, SETTING_NAMES).startswith(STORAGE) for each in values
    ):
        return
    text, cure = "the settings name no storage account", _storage_settings(bot, beside)
    if names_queued_turns(values):
        text = f"{text}, which queued turns need"
        yield error("storage-missing", text, cure, stops=True, spoils=("storage account",))
    else:
        text = f"{text}: each process forgets its conversations when it ends"
        yield warning("storage-missing", text, cure)


def _storage_settings(bot: DeployedBot, beside: Sequence[str]) -> str:
    """The command that names the account that has the app's package, or the only one of its group.
    In some clouds the settings have the URLs of its services."""
    config = bot.properties.get("functionAppConfig") or {}
    deployed = ((config.get("deployment") or {}).get("storage") or {}).get("value") or ""
    packages = host_of(str(deployed)).partition(".")[0]
    known = [packages] if packages in beside else beside
    if len(known) != 1:
        return (
            f"Set {STORAGE}__accountName to the bot's storage account. If it was deleted, messages"
            " and state are lost: docs/deploy-by-hand.md, steps 3 and 6, make a new one"
        )
    values, domains = bot.known, {}
    for service in ("blob", "queue"):
        name = f"{STORAGE}__{service}ServiceUri"
        if domain := host_of(setting(values, name)).partition(".")[2]:
            domains[name] = f"https://{known[0]}.{domain}"
    named = domains or {f"{STORAGE}__accountName": known[0]}
    if not setting(bot.settings.require(), CREDENTIAL):
        named[CREDENTIAL] = "managedidentity"
    if bot.identity and bot.identity.client_id and not setting(values, STORAGE_CLIENT_ID):
        named[STORAGE_CLIENT_ID] = bot.identity.client_id
    return set_settings(bot, **named)


def _opening(bot: DeployedBot, command: str, resource: JsonObject) -> str:
    """The command that lets the app reach a resource whose firewall admits nobody from public
    addresses; empty: it admits some, or the app calls from a virtual network."""
    properties = resource["properties"]
    rules = properties.get("networkAcls") or {}
    denies = str(rules.get("defaultAction") or "").lower() == "deny"
    is_off = str(properties.get("publicNetworkAccess") or "").lower() == "disabled"
    admits_some = not is_off and not (denies and not rules.get("ipRules"))
    if admits_some or bot.properties.get("virtualNetworkSubnetId"):
        return ""
    options = {"public_network_access": "Enabled"} if is_off else {}
    if denies:
        options["default_action"] = "Allow"
    opening = change(command, resource, **options)
    return f"Give the app a virtual network that it admits, or open it:\n{opening}"


@check(
    "resources",
    "key vault",
    "vault-missing",
    "vault-deleted",
    "vault-access-policies",
    "vault-purge-protection",
    "vault-network",
    "certificate-missing",
    "certificate-disabled",
)
def check_vault(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the key vault exists, uses roles, and cannot be emptied, if the bot signs in with a
    certificate."""
    vault, kind = bot.vault.require(), credential_kind(bot.known)
    if not vault.name or (kind and not kind.has_certificate):
        return
    if not vault.found:
        yield _no_vault(bot, vault)
        return
    properties, name = vault.found["properties"], vault.found["name"]
    opening = _opening(bot, "keyvault update", vault.found)
    has_roles = properties.get("enableRbacAuthorization")
    yield from findings(
        (opening, error("vault-network", f"the key vault {name} {CLOSED}", opening, stops=True)),
        (
            not has_roles,
            error(
                "vault-access-policies",
                f"the key vault {name} uses access policies in place of roles",
                change("keyvault update", vault.found, enable_rbac_authorization="true"),
                stops=True,
            ),
        ),
        (
            not properties.get("enablePurgeProtection"),
            warning(
                "vault-purge-protection",
                f"the key vault {name} can be purged with everything in it",
                change("keyvault update", vault.found, enable_purge_protection="true"),
            ),
        ),
    )
    if has_roles:  # the certificate is read by one
        yield from _certificate(bot, vault)


def _no_vault(bot: DeployedBot, vault: NamedVault) -> Diagnosis:
    if vault.deleted_in:
        where = {"--name": vault.name, "--location": vault.deleted_in}
        return error(
            "vault-deleted",
            f"the key vault {vault.name} was deleted, and can be recovered",
            f"{az('keyvault recover', where)}\n"
            "Its role assignments do not come back: run the doctor again, for yours, too.",
            stops=True,
            spoils=("certificate",),
        )
    right = _registered_certificate(bot, vault) or (
        f"Set {VAULT_URL} to the vault of the bot's certificate. {SETTINGS_PAGE}"
    )
    recovery = az("keyvault recover", {"--name": vault.name})
    return error(
        "vault-missing",
        f"your account sees no key vault {vault.name}, which {VAULT_URL} names",
        f"If it was deleted:\n{recovery}\nIf another one is meant:\n{right}"
        if vault.deleted_in is None
        else right,
        stops=True,
        spoils=("certificate",),
    )


def _certificate(bot: DeployedBot, vault: NamedVault) -> Iterator[Diagnosis]:
    usable, registered = enabled(vault.versions), _registered(bot)
    made = [thumbprints_of(one).sha1 for one in usable]
    options = {"--vault-name": vault.name, "--name": vault.certificate}
    if refusal := vault.refusal:
        role_cure = f"Give your account Key Vault Reader on the vault {vault.name}"
        cure = role_cure if refusal.needs_role else refusal.cure
        yield not_looked_at("the certificate's versions", refusal.answer, cure)
    elif vault.versions and vault.versions[0] not in usable and not registered & {*made}:
        yield error(
            "certificate-disabled",
            f"the newest version of the certificate {vault.certificate} in the key vault"
            f" {vault.name} is disabled, and no other one can sign in",
            az("keyvault certificate set-attributes", {**options, "--enabled": "true"}),
            stops=True,
            spoils=("certificate",),
        )
    elif vault.certificate and not usable:
        recovery = az("keyvault certificate recover", options) if vault.is_deleted else ""
        state = ": it was deleted, and can be recovered" if vault.is_deleted else ""
        yield error(
            "certificate-missing",
            f"the key vault {vault.name} has no certificate {vault.certificate}{state}",
            recovery
            or _registered_certificate(bot, vault)
            or certificate_again(bot, vault.name, vault.certificate),
            stops=True,
            spoils=("certificate",),
        )
    else:
        yield from _thumbprints(bot, made, registered)


def _thumbprints(bot: DeployedBot, made: list[str], registered: set[str]) -> Iterator[Diagnosis]:
    """The settings allow other certificates than those of the vault: the bot refuses them."""
    listed = setting(bot.known, THUMBPRINTS)
    allowed = {of_identifier(each.strip()).sha1 for each in listed.split(",") if each.strip()}
    if allowed and made and not allowed & {*made} and credential_kind(bot.known):
        right = next((each for each in made if each in registered), made[0])
        yield error(
            "setting-invalid",
            f"the setting {THUMBPRINTS} allows none of the certificates in the key vault",
            set_settings(bot, **{THUMBPRINTS: right}),
            stops=True,
        )


def _registered(bot: DeployedBot) -> set[str]:
    """The thumbprints of the certificates that are on the app registration."""
    application = bot.directory.value.application if bot.directory.value else {}
    return {entry_thumbprint(one) for one in application.get("keyCredentials") or ()}


def _registered_certificate(bot: DeployedBot, vault: NamedVault) -> str:
    """The command that names the certificate that is on the app registration, if one of the vaults
    beside the app has it; else empty."""
    registered = _registered(bot)
    found = [named for thumbprint, named in vault.others if thumbprint in registered]
    if len(found) != 1:
        return ""
    now = {name: setting(bot.known, name).rstrip("/").lower() for name in found[0]}
    wrong = {name: value for name, value in found[0].items() if value.lower() != now[name]}
    return set_settings(bot, **wrong)


@check(
    "resources",
    "Application Insights",
    "insights-off",
    "insights-missing",
    "insights-local-auth",
    "insights-authentication",
    "insights-no-workspace",
)
def check_monitoring(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether somebody could see what the bot does, and whether only the bot can write that."""
    values, found = bot.settings.require(), bot.monitoring.require()
    only = found.beside[0] if len(found.beside) == 1 else ""
    page = 'docs/deploy-by-hand.md, "Logs without a key"'
    if not setting(values, CONNECTION):
        yield warning(
            "insights-off",
            f"{CONNECTION} is not set: nobody can see later what the bot has done",
            connect_insights(bot, only) if only else f"{page}; azd sets it",
        )
        return
    if not setting(bot.known, CONNECTION):
        return  # a key vault reference
    if not found.component:
        yield warning(
            "insights-missing",
            f"your account sees no Application Insights component that {CONNECTION} is of",
            connect_insights(bot, only) if only else f"{page}, says how to make one and name it",
        )
        return
    component, identity = found.component, bot.identity
    authentication = setting(values, AUTHENTICATION)
    is_reference = authentication and not setting(bot.known, AUTHENTICATION)
    authenticates = is_reference or telemetry_identity(bot.site, authentication) is not None
    is_closed = component["properties"].get("DisableLocalAuth") is True
    ending = f";ClientId={identity.client_id}" if identity else ""
    right = f"Authorization=AAD{ending}".removesuffix(";ClientId=")
    yield from findings(
        (
            not is_closed,
            warning(
                "insights-local-auth",
                f"{component['name']} accepts telemetry from everybody who knows its key",
                set_property(str(component["id"]), "properties.DisableLocalAuth", "true"),
            ),
        ),
        (
            is_closed and (bot.assigned or identity) and not authenticates,
            error(
                "insights-authentication",
                f"{component['name']} accepts only an identity's telemetry, and {AUTHENTICATION}"
                f" names none of {bot.app.name}: what the bot sends is refused",
                set_settings(bot, **{AUTHENTICATION: right})
                if identity
                else f"Set {AUTHENTICATION} with the client id of one of them. {SETTINGS_PAGE}",
                needs=("identity",),
            ),
        ),
        (
            not found.workspace and not found.refusal,
            warning(
                "insights-no-workspace",
                f"{component['name']} has no Log Analytics workspace that your account sees",
                set_property(str(component["id"]), "properties.WorkspaceResourceId", only)
                if only
                else f"Give it one: {page}",
            ),
        ),
    )


@check("roles", "roles", "role-missing", "role-too-wide")
def check_roles(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the identity has the roles that it needs, and none that reach further."""
    roles = bot.roles.require()
    for on, found in roles.needed:
        needs: tuple[Subject, ...] = ("identity",) if on == "telemetry" else ("identity", on)
        again = [f"The template assigns it: {DEPLOY_AGAIN}"] if found.refusal else []
        for cure in again or [each.az[-1] for each in found.changes]:
            yield error("role-missing", found.text, cure, stops=on == "certificate", needs=needs)
    for one in roles.assigned:
        if reason := _reach(one):
            yield warning(
                "role-too-wide",
                f"the bot's identity has the role {one.name} on {one.scope}, {reason}",
                az("role assignment delete", {"--ids": one.id}),
            )


def _reach(role: AssignedRole) -> str:
    """Why a role reaches too far; empty: it does not."""
    for power in POWERS:
        if allows(role.definition, power, on_data=False):
            return f"which allows {power}"
    if "/resourcegroups/" not in f"{role.scope}/".lower():  # a subscription, or what is above it
        return "and needs it on single resources only"
    return ""
