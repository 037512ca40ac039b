"""Checks of how the bot signs in: the app's identities, what the Azure Bot and the settings say of
the bot, and the app registration with its credentials."""

from collections.abc import Iterator, Mapping, Sequence

from bot_workbench.admin.azure.cloud import CLOUDS
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.doctor.cures import (
    SETTINGS_PAGE,
    certificate_again,
    change,
    delete_settings,
    identity_option,
    set_settings,
)
from bot_workbench.admin.doctor.diagnosis import (
    Diagnosis,
    check,
    error,
    findings,
    warning,
)
from bot_workbench.admin.doctor.setting_rules import CHANNEL_SERVICE
from bot_workbench.admin.migrate.certificate.app_registration import entry_thumbprint
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    AUTHENTICATION,
    CLIENT_ID,
    STORAGE_CLIENT_ID,
    is_managed_identity,
    lacks_client_id,
    storage_identities,
    telemetry_identity,
    with_client_id,
)
from bot_workbench.admin.migrate.deployed_bot.credential_period import (
    EXPIRED,
    VALID,
    ends_soon,
    last_day,
    state_of,
)
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot, Directory
from bot_workbench.admin.migrate.deployed_bot.resources import enabled, thumbprints_of
from bot_workbench.admin.migrate.federated import Trust
from bot_workbench.admin.migrate.status.rows import SINGLE_TENANT_AUDIENCE
from bot_workbench.admin.migrate.steps.identity import AppIdentity
from bot_workbench.admin.plan.settings import credential_kind, setting
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.target import DEPLOY_AGAIN, environment_of
from bot_workbench.credential_kinds import FEDERATED, MULTI_TENANT, USER_ASSIGNED_MSI

IDENTITY_CODES = {CLIENT_ID: "identity-unknown", STORAGE_CLIENT_ID: "storage-identity-unknown"}
"""By the setting that names an identity."""

TENANTS = "AllowedTenants"


@check(
    "identity",
    "identity",
    "identity-missing",
    "identity-deleted",
    *IDENTITY_CODES.values(),
    "bot-identity-unknown",
)
def check_identity(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app has the identities that its settings name, and whether they exist."""
    if not bot.assigned:
        if bot.identity is None:
            yield error(
                "identity-missing",
                f"{bot.app.name} has no user-assigned identity",
                _assignment(bot),
                stops=True,
                spoils=("identity",),
            )
        return
    values = bot.known_if_read
    for one in bot.assigned:
        if bot.identities.value and not bot.identities.value.get(one.id.lower()):
            yield _deleted(bot, one, values)
    names = ", ".join(f"{one.name} ({one.client_id})" for one in bot.assigned)
    for name, code in IDENTITY_CODES.items():
        value = setting(values, name)
        cure = (
            set_settings(bot, **{name: bot.identity.client_id})
            if bot.identity
            else f"Set {name} to the client id of the one that has the bot's roles. {SETTINGS_PAGE}"
        )
        if value and with_client_id(bot.assigned, value) is None:
            yield error(
                code,
                f"{name} names no identity of {bot.app.name}, which has {names}",
                cure,
                stops=True,
                spoils=("identity",) if name == CLIENT_ID else (),
            )
        elif lacks_client_id(bot.site, bot.settings.value or {}, name):
            yield error(
                code,
                f"{name} is not set, and {bot.app.name} has no system-assigned identity, which is"
                f" used without it; it has {names}",
                cure,
                stops=True,
                needs=("identity",),
            )
    app_id = setting(values, "MicrosoftAppId").lower()
    # If it is another id than the Azure Bot's, that is a finding of its own.
    is_bot = is_managed_identity(values) and app_id == bot.app_id.lower()
    if is_bot and with_client_id(bot.assigned, app_id) is None:
        yield error(
            "bot-identity-unknown",
            f"the bot is a managed identity ({app_id}) that {bot.app.name} does not have; it has"
            f" {names}",
            _assignment(bot),
            stops=True,
            spoils=("identity",),
            needs=("app type",),
        )


def _deleted(bot: DeployedBot, identity: AppIdentity, values: Mapping[str, str]) -> Diagnosis:
    text = f"the identity {identity.name} is assigned to {bot.app.name}, but was deleted"
    writer = telemetry_identity(bot.site, setting(values, AUTHENTICATION))
    used = (bot.identity, writer, *storage_identities(bot.site, bot.identity, values))
    if len(bot.assigned) > 1 and identity not in used:
        removal = change("functionapp identity remove", bot.site, identities=identity.id)
        return warning("identity-deleted", f"{text}; nothing needs it", removal)
    return error(
        "identity-deleted",
        text,
        f"The template makes one, with its roles: {DEPLOY_AGAIN}"
        if environment_of(bot.site)
        else "Create a new one, assign it, and give it the roles: docs/deploy-by-hand.md, steps 2"
        " to 7, and 9 if it was the bot",
        stops=True,
        spoils=("identity",),
    )


def _assignment(bot: DeployedBot) -> str:
    """The command that assigns the bot's identity to the app: the one that the Azure Bot or the
    settings name, or the only one of the app's group."""
    values, found = bot.known_if_read, bot.identities.value or {}
    named = {setting(values, name).lower() for name in IDENTITY_CODES} - {""}
    known = str(bot.bot["properties"].get("msaAppMSIResourceId") or "")
    beside = [key for key, client_id in found.items() if client_id.lower() in named]
    ids = [known] if known else beside or list(found)
    if len(ids) != 1:
        return f"Assign the bot's identity to {bot.app.name}: docs/deploy-by-hand.md, steps 2 and 5"
    return change("functionapp identity assign", bot.site, identities=ids[0])


@check(
    "Azure Bot",
    "agreement of bot and settings",
    "app-id-differs",
    "app-type-differs",
    "tenant-differs",
    "cloud-differs",
    "tenants-excluded",
    "bot-identity-differs",
)
def check_agreement(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the Azure Bot and the app settings name the same bot."""
    values, home = bot.known_if_read, "" if bot.app_type == MULTI_TENANT else bot.tenant_id
    for name, code, right in (
        ("MicrosoftAppId", "app-id-differs", bot.app_id),
        ("MicrosoftAppType", "app-type-differs", bot.app_type),
        ("MicrosoftAppTenantId", "tenant-differs", home),
    ):
        value = setting(values, name)
        if value and right and value.strip().lower() != right.lower():
            yield error(
                code,
                f"{name} of {bot.app.name} is not the Azure Bot's, which is {right}",
                set_settings(bot, **{name: right}),
                stops=True,
                spoils=("app type",) if name == "MicrosoftAppType" else (),
            )
    # The bot would sign in to another cloud's Entra, and accept another cloud's channels.
    cloud = bot.target.azure.cloud
    named = setting(bot.settings.value or {}, CHANNEL_SERVICE).rstrip("/")
    known = {each.channel_service for each in CLOUDS.values()}
    listed = [one for each in setting(values, TENANTS).split(",") if (one := each.strip())]
    yield from findings(
        (
            not bot.settings.error and named in known - {cloud.channel_service},
            error(
                "cloud-differs",
                f"{CHANNEL_SERVICE} names another cloud than {cloud.name}, where the Azure Bot is",
                set_settings(bot, **{CHANNEL_SERVICE: cloud.channel_service})
                if cloud.channel_service
                else delete_settings(bot, [CHANNEL_SERVICE]),
                stops=True,
            ),
        ),
        (
            home and listed and home.lower() not in map(str.lower, listed),
            warning(
                "tenants-excluded",
                f"{TENANTS} does not list the bot's own tenant {home}: its users are refused",
                set_settings(bot, **{TENANTS: ",".join([*listed, home])}),
            ),
        ),
    )
    given = str(bot.bot["properties"].get("msaAppMSIResourceId") or "")
    own = with_client_id(bot.assigned, bot.app_id) if bot.app_type == USER_ASSIGNED_MSI else None
    if own is not None and given.lower() != own.id.lower():
        yield error(
            "bot-identity-differs",
            f"the Azure Bot names the identity {given.rpartition('/')[2] or '(none)'}, and its id"
            f" is that of {own.name}",
            f"Neither can be changed: create the Azure Bot again with the identity {own.id}"
            " (docs/deploy-by-hand.md)",
        )


@check(
    "app registration",
    "app registration",
    "registration-missing",
    "registration-deleted",
    "registration-audience",
    "registration-secret",
    "certificate-not-registered",
    "certificate-expired",
    "certificate-ends-soon",
    "federated-missing",
    "federated-differs",
)
def check_registration(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the registration exists, and signs the bot in without a secret."""
    found = bot.directory.require()
    if bot.app_type == USER_ASSIGNED_MSI:
        return
    if not found.application:
        yield _missing(bot, found)
        return
    audience = found.application.get("signInAudience")
    if bot.app_type == MULTI_TENANT and audience == SINGLE_TENANT_AUDIENCE:
        yield error(
            "registration-audience",
            "the bot is multi-tenant, and its app registration admits its own tenant only",
            az(
                "ad app update",
                {"--id": bot.app_id, "--sign-in-audience": "AzureADMultipleOrgs"},
            ),
        )
    for secret in found.application.get("passwordCredentials") or ():
        state = "has expired" if state_of(secret) == EXPIRED else f"ends {last_day(secret)}"
        yield warning(
            "registration-secret",
            f"the app registration still has a client secret ({secret['keyId']}), which {state}",
            bot.target.options.command_line("delete-secret", app=""),
        )
    kind = credential_kind(bot.known_if_read)
    entries = found.application.get("keyCredentials") or ()
    yield from _certificates(bot, entries, is_used=bool(kind and kind.has_certificate))
    if kind and kind.name == FEDERATED and bot.identity:
        yield from _federated(bot, found, bot.identity)


def _missing(bot: DeployedBot, found: Directory) -> Diagnosis:
    if found.deleted:
        graph = bot.target.azure.cloud.graph
        url = f"{graph}/v1.0/directory/deletedItems/{found.deleted['id']}/restore"
        return error(
            "registration-deleted",
            f"the app registration {bot.app_id} was deleted, and can be restored for 30 days",
            az("rest", {"--method": "post", "--url": url}),
            stops=True,
        )
    # A multi-tenant bot may be registered in any tenant, another one in its own only.
    home = "" if bot.app_type == MULTI_TENANT else bot.tenant_id
    is_elsewhere = home and home.lower() != bot.target.azure.caller.tenant_id.lower()
    return error(
        "registration-missing",
        f"the directory has no app registration {bot.app_id}",
        f"Your account is signed in to another tenant than the bot's:\naz login --tenant {home}"
        if is_elsewhere
        else "If it is in another tenant than yours, sign in to that one. Else it is gone for good,"
        " and an app id cannot be used again: make a new bot, docs/migrate.md",
        stops=True,
    )


def _certificates(
    bot: DeployedBot, entries: Sequence[JsonObject], *, is_used: bool
) -> Iterator[Diagnosis]:
    valid = [entry for entry in entries if state_of(entry) == VALID]
    lasts = any(not ends_soon(entry) for entry in valid)
    renewal = bot.target.options.command_line("certificate rotate", app=bot.app.name)
    for entry in entries:
        name = entry_thumbprint(entry) or entry["keyId"]
        text = f"the certificate {name} of the app registration"
        ended = f"{text} ended {last_day(entry)}"
        if state_of(entry) != EXPIRED:
            if is_used and not lasts and ends_soon(entry):
                ending = f"{text} ends {last_day(entry)}"
                yield warning("certificate-ends-soon", ending, renewal)
        elif is_used and not valid:
            yield error("certificate-expired", ended, f"{renewal} --restart", stops=True)
        else:
            key = {"--id": bot.app_id, "--cert": None, "--key-id": str(entry["keyId"])}
            deletion = az("ad app credential delete", key)
            yield warning("certificate-expired", f"{ended}, and nothing needs it", deletion)
    vault = bot.vault.value if is_used else None
    made = [thumbprints_of(one).sha1 for one in enabled(vault.versions)] if vault else []
    registered = {entry_thumbprint(entry) for entry in entries}
    if vault and made and made[0] not in registered:
        text = f"the newest certificate {made[0]} of {vault.name} is not on the app registration"
        cure = certificate_again(bot, vault.name, vault.certificate)
        if registered & {*made}:
            yield warning("certificate-not-registered", text, cure)
        else:
            yield error(
                "certificate-not-registered", text, cure, stops=True, needs=("certificate",)
            )


def _federated(bot: DeployedBot, found: Directory, identity: AppIdentity) -> Iterator[Diagnosis]:
    def trust_in(one: AppIdentity) -> Trust:
        return Trust.of(bot.target.azure.cloud, bot.tenant_id, one.principal_id)

    def is_trusted(one: AppIdentity) -> bool:
        return any(not trust_in(one).differences(each) for each in found.federated)

    if is_trusted(identity):
        return
    cure = bot.target.options.command_line("federated", *identity_option(bot), app=bot.app.name)
    if other := next(filter(is_trusted, bot.assigned), None):
        yield error(
            "federated-differs",
            f"the app registration trusts the identity {other.name}, and {CLIENT_ID} of"
            f" {bot.app.name} names {identity.name}",
            set_settings(bot, **{CLIENT_ID: other.client_id}),
            stops=True,
            needs=("identity",),
        )
        return
    trust = trust_in(identity)
    meant = [each for each in found.federated if _is_meant(each, trust)]
    for each in meant:
        texts = [
            f"{one.name} is {one.given!r}, not {one.wanted!r}" for one in trust.differences(each)
        ]
        name = str(each.get("name") or "")
        named = {"--id": bot.app_id, "--federated-credential-id": name}
        yield error(
            "federated-differs",
            f"the federated credential {name} does not fit the identity {identity.name}:"
            f" {'; '.join(texts)}",
            f"{az('ad app federated-credential delete', named)}\n{cure}",
            stops=True,
            needs=("identity",),
        )
    if not meant:
        yield error(
            "federated-missing",
            f"the app registration does not trust the identity {identity.name}",
            cure,
            stops=True,
            needs=("identity",),
        )


def _is_meant(credential: JsonObject, trust: Trust) -> bool:
    """Whether a credential agrees in one of issuer and subject: it is no pipeline's."""
    issuer, subject = str(credential.get("issuer")), str(credential.get("subject"))
    return trust.subject.lower() == subject.lower() or trust.issuer.lower() == issuer.lower()


@check(
    "app registration",
    "app registration",
    "principal-missing",
    "principal-disabled",
    "assignment-required",
)
def check_principal(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the bot's service principal exists, and may sign in."""
    found, is_managed = bot.directory.require(), bot.app_type == USER_ASSIGNED_MSI
    yield from findings(
        (
            not found.principal and (is_managed or found.application),
            error(
                "principal-missing",
                f"the directory has no service principal of {bot.app_id}",
                "Its identity was deleted: a managed identity cannot be restored, make a new bot"
                " (docs/deploy.md)"
                if is_managed
                else az("ad sp create", {"--id": bot.app_id}),
                stops=True,
                needs=("identity",) if is_managed else (),
            ),
        ),
        (
            found.principal.get("accountEnabled") is False,
            error(
                "principal-disabled",
                f"the service principal of {bot.app_id} is disabled: Entra refuses its sign-in",
                az("ad sp update", {"--id": bot.app_id, "--set": "accountEnabled=true"}),
                stops=True,
            ),
        ),
        (
            found.principal.get("appRoleAssignmentRequired") is True,
            warning(
                "assignment-required",
                f"the service principal of {bot.app_id} requires assignments: users without one"
                " cannot sign in, nor can bots that call this one",
                az(
                    "ad sp update", {"--id": bot.app_id, "--set": "appRoleAssignmentRequired=false"}
                ),
            ),
        ),
    )
