"""Checks of the app's identities, and of their roles."""

import fnmatch
from collections.abc import Iterator

from admin.doctor.cures import set_settings
from admin.doctor.deployed_bot import DeployedBot
from admin.doctor.diagnosis import Diagnosis, error, warning
from admin.doctor.parts.identities import CLIENT_ID, STORAGE_CLIENT_ID, with_client_id
from admin.doctor.parts.roles import AssignedRole
from admin.migrate.setting_names import setting
from admin.migrate.shell import az
from auth.settings import USER_ASSIGNED_MSI

POWERS = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Web/sites/write",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.KeyVault/vaults/write",
)
"""What no bot needs: each is a way to more than the bot's own data."""

SUBSCRIPTION_SEGMENTS = 3
"""Of "/subscriptions/ID", split at its slashes."""


def check_identity(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app has the identities that its settings name, and whether they exist."""
    app, assigned = bot.target.site_id, bot.assigned
    if not assigned:
        yield error(
            "identity-missing",
            f"{app.name} has no user-assigned identity",
            az("functionapp identity assign", {**app.az_options, "--identities": "IDENTITY_ID"}),
            stops=True,
        )
        return
    for one in assigned:
        if bot.identities.value and not bot.identities.value.get(one.id.lower()):
            yield error(
                "identity-deleted",
                f"the identity {one.name} is assigned to {app.name}, but was deleted",
                "Create a new one, assign it, and give it the roles: docs/deploy-by-hand.md,"
                " steps 3 to 6; or deploy again with `azd provision`",
                stops=True,
            )
    yield from _client_ids(bot)


def _client_ids(bot: DeployedBot) -> Iterator[Diagnosis]:
    values = bot.settings.value or {}
    is_bot = setting(values, "MicrosoftAppType").lower() == USER_ASSIGNED_MSI.lower()
    codes = {
        CLIENT_ID: "identity-unknown",
        STORAGE_CLIENT_ID: "storage-identity-unknown",
        **({"MicrosoftAppId": "bot-identity-unknown"} if is_bot else {}),
    }
    for name, code in codes.items():
        value = setting(values, name)
        if value and with_client_id(bot.assigned, value) is None:
            names = ", ".join(one.name for one in bot.assigned)
            right = bot.assigned[0].client_id
            yield error(
                code,
                f"{name} names no identity of {bot.app_name}, which has {names}",
                set_settings(bot.target.site_id, **{name: right}),
                stops=name != STORAGE_CLIENT_ID,
            )


def check_roles(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the identity has the roles that it needs, and none that reach further."""
    roles = bot.roles.value
    if roles is None:
        return
    for each in roles.missing:
        yield error("role-missing", each.text, each.command, stops=each.stops)
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
        if any(fnmatch.fnmatchcase(power.lower(), each.lower()) for each in role.actions):
            return f"which allows {power}"
    if len(role.scope.rstrip("/").split("/")) <= SUBSCRIPTION_SEGMENTS:
        return "and needs it on single resources only"
    return ""
