"""Checks of the app's identities, and of their roles."""

from collections.abc import Iterator

from bot_workbench.admin.doctor.codes import Code
from bot_workbench.admin.doctor.cures import SETTINGS_PAGE, set_settings
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import APP_TYPE, IDENTITY, Diagnosis, error, warning
from bot_workbench.admin.doctor.parts.identities import (
    AUTHENTICATION,
    CLIENT_ID,
    STORAGE_CLIENT_ID,
    lacks_client_id,
    storage_identities,
    telemetry_identity,
    with_client_id,
)
from bot_workbench.admin.migrate.steps.assigned_identity import AppIdentity
from bot_workbench.admin.migrate.steps.assigned_roles import AssignedRole
from bot_workbench.admin.migrate.steps.role_assignment import allows
from bot_workbench.admin.plan.setting_names import setting
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.template import DEPLOY_AGAIN, environment_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

POWERS = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Web/sites/write",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.KeyVault/vaults/write",
)
"""The roles that no bot needs: each is a way to more than the bot's own data."""

TEMPLATES = f"The template makes one, with its roles: {DEPLOY_AGAIN}"
BY_HAND = (
    "Create a new one, assign it, and give it the roles: docs/deploy-by-hand.md, steps 2 to 7, and"
    " 9 if it was the bot"
)

IDENTITY_CODES: dict[str, Code] = {
    CLIENT_ID: "identity-unknown",
    STORAGE_CLIENT_ID: "storage-identity-unknown",
}
"""By the setting that names an identity."""


def check_identity(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app has the identities that its settings name, and whether they exist."""
    app, assigned = bot.target.site_id, bot.assigned
    if not assigned:
        if bot.identity is None:
            yield error(
                "identity-missing",
                f"{app.name} has no user-assigned identity",
                _assignment(bot),
                stops=True,
                spoils=(IDENTITY,),
            )
        return
    for one in assigned:
        if bot.identities.value and not bot.identities.value.get(one.id.lower()):
            yield _deleted(bot, one)
    yield from _client_ids(bot)


def _deleted(bot: DeployedBot, identity: AppIdentity) -> Diagnosis:
    app, values = bot.target.site_id, bot.known_if_read
    text = f"the identity {identity.name} is assigned to {app.name}, but was deleted"
    writer = telemetry_identity(bot.site, setting(values, AUTHENTICATION))
    used = (bot.identity, writer, *storage_identities(bot.site, bot.identity, values))
    if len(bot.assigned) > 1 and identity not in used:
        removal = az("functionapp identity remove", {**app.az_options, "--identities": identity.id})
        return warning("identity-deleted", f"{text}; nothing needs it", removal)
    cure = TEMPLATES if environment_of(bot.site) else BY_HAND
    return error("identity-deleted", text, cure, stops=True, spoils=(IDENTITY,))


def _client_ids(bot: DeployedBot) -> Iterator[Diagnosis]:
    values, app = bot.known_if_read, bot.target.site_id
    names = ", ".join(f"{one.name} ({one.client_id})" for one in bot.assigned)
    for name, code in IDENTITY_CODES.items():
        value = setting(values, name)
        cure = (
            set_settings(app, **{name: bot.identity.client_id})
            if bot.identity
            else f"Set {name} to the client id of the one that has the bot's roles. {SETTINGS_PAGE}"
        )
        if value and with_client_id(bot.assigned, value) is None:
            yield error(
                code,
                f"{name} names no identity of {bot.app_name}, which has {names}",
                cure,
                stops=True,
                spoils=(IDENTITY,) if name == CLIENT_ID else (),
            )
        elif lacks_client_id(bot.site, bot.settings.value or {}, name):
            yield error(
                code,
                f"{name} is not set, and {bot.app_name} has no system-assigned identity, which is"
                f" used without it; it has {names}",
                cure,
                stops=True,
                needs=(IDENTITY,),
            )
    is_bot = setting(values, "MicrosoftAppType").lower() == USER_ASSIGNED_MSI.lower()
    app_id = setting(values, "MicrosoftAppId").lower()
    # If it is another id than the Azure Bot's, that is a finding of its own.
    if is_bot and app_id == bot.app_id.lower() and with_client_id(bot.assigned, app_id) is None:
        yield error(
            "bot-identity-unknown",
            f"the bot is a managed identity ({app_id}) that {bot.app_name} does not have; it has"
            f" {names}",
            _assignment(bot),
            stops=True,
            spoils=(IDENTITY,),
            needs=(APP_TYPE,),
        )


def _assignment(bot: DeployedBot) -> str:
    """The command that assigns the bot's identity to the app: the one that the Azure Bot or the
    settings name, or the only one of the app's group."""
    values, found = bot.known_if_read, bot.identities.value or {}
    named = {setting(values, name).lower() for name in IDENTITY_CODES} - {""}
    known = [str(bot.bot["properties"].get("msaAppMSIResourceId") or "")]
    beside = [key for key, client_id in found.items() if client_id.lower() in named]
    ids = list(filter(None, known)) or beside or list(found)
    if len(ids) != 1:
        return f"Assign the bot's identity to {bot.app_name}: docs/deploy-by-hand.md, steps 2 and 5"
    options = {**bot.target.site_id.az_options, "--identities": ids[0]}
    return az("functionapp identity assign", options)


def check_roles(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the identity has the roles that it needs, and none that reach further."""
    roles = bot.roles.value
    if roles is None:
        return
    for each in roles.missing:
        yield error("role-missing", each.text, each.cure, stops=each.stops, needs=each.needs)
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
