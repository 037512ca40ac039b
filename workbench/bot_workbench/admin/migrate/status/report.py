"""StatusReport: everything that `status` shows, read part by part."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from bot_workbench.admin.azure.arm_client import BOT, VAULT
from bot_workbench.admin.azure.cloud import ManagementCloud
from bot_workbench.admin.azure.errors import Ambiguous, AzureProblem, UnknownName
from bot_workbench.admin.azure.resources import ResourceId, find_resource, resources_beside
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.parts import federation
from bot_workbench.admin.migrate.status.parts.access import (
    RoleStatus,
    VaultStatus,
    read_roles,
    read_vault,
)
from bot_workbench.admin.migrate.status.parts.app import AppStatus, read_app
from bot_workbench.admin.migrate.status.parts.azure_bot import AzureBotStatus, read_bot
from bot_workbench.admin.migrate.status.parts.part import Part, read
from bot_workbench.admin.migrate.status.parts.registration import (
    FederatedStatus,
    RegistrationStatus,
    read_registration,
)
from bot_workbench.admin.migrate.switch.moved_endpoint import NEW_ENDPOINT, PREVIOUS_ENDPOINT
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

CURRENT, NEW, OLD = "users talk to it", "new", "old"


@dataclass(frozen=True)
class StatusReport:
    """A bot's sign-in, and its other possible credentials.

    Attributes:
        bot: the Azure Bot.
        registration: its app registration; None: a managed identity has none.
        apps: the app that users talk to, the new and the old one, as far as they are found.
        missing_apps: why an app was not found, a line each.
        vault: the certificate in the vault that the new app's settings name.
        roles: those of the new app's identity.
        vaults: names of the key vaults in the new app's resource group.
        cloud: the cloud.
        now: when it was read.
        replacing_id: app id (GUID) of the Azure Bot that replaces this one; empty: none does.
    """

    bot: AzureBotStatus
    registration: Part[RegistrationStatus]
    apps: tuple[AppStatus, ...]
    missing_apps: tuple[str, ...]
    vault: Part[VaultStatus | None]
    roles: Part[list[RoleStatus]]
    vaults: Part[list[str]]
    cloud: ManagementCloud
    now: datetime.datetime
    replacing_id: Part[str] = field(default_factory=lambda: Part(""))

    @property
    def current(self) -> AppStatus | None:
        """The app that users talk to."""
        return _with_role(self.apps, CURRENT)

    @property
    def new(self) -> AppStatus | None:
        """The app of the migration: the one beside the old one, or the one that has replaced it."""
        return _with_role(self.apps, NEW, CURRENT)

    def differences(self, credential: FederatedStatus) -> list[str] | None:
        """Where a federated credential differs from the new app's identity; None: it is another
        issuer's, such as a pipeline's, or there is no identity to compare it with."""
        identity = self.new.identity if self.new else None
        if identity is None or not credential.issuer.lower().startswith(self.cloud.authority):
            return None
        return federation.differences(
            credential, self.cloud, self.bot.tenant_id, identity.principal_id
        )

    @property
    def secret_settings(self) -> tuple[str, ...]:
        """The names of the apps that still have the bot's secret in their settings."""
        return tuple(
            app.id.name for app in self.apps if app.settings.value and app.settings.value.bot_secret
        )

    @property
    def is_secretless(self) -> bool:
        """Whether no secret of the bot is left, as far as everything could be read."""
        if self.bot.type == USER_ASSIGNED_MSI:
            return not self.secret_settings
        known = self.registration.value
        return known is not None and not known.secrets and not self.secret_settings


def read_report(target: Target) -> StatusReport:
    """Read everything about the bot.

    Raises:
        AzureProblem: the Azure Bot itself cannot be read.
    """
    bot = read_bot(target)
    apps, missing = _apps(target, bot)
    managed = bot.type == USER_ASSIGNED_MSI
    graph = target.azure.graph
    registration = (
        Part[RegistrationStatus](None)
        if managed
        else read(lambda: read_registration(graph, target.application()))
    )
    new = _with_role(apps, NEW, CURRENT)
    return StatusReport(
        bot=bot,
        registration=registration,
        apps=tuple(apps),
        missing_apps=tuple(missing),
        vault=read(lambda: read_vault(target, new)) if new else Part(None),
        roles=read(lambda: read_roles(target, new)) if new else Part([]),
        vaults=read(lambda: _vaults(target, new)) if new else Part([]),
        cloud=target.azure.cloud,
        now=datetime.datetime.now(datetime.UTC),
        replacing_id=read(lambda: _replacing_id(target, bot)),
    )


def _replacing_id(target: Target, bot: AzureBotStatus) -> str:
    name = bot.tags.get(REPLACED_BY, "")
    if not name:
        return ""
    arm = target.azure.arm
    return str(arm.get(find_resource(arm, BOT, name).id)["properties"]["msaAppId"])


def _vaults(target: Target, app: AppStatus) -> list[str]:
    found = resources_beside(target.azure.arm, VAULT, app.id)
    return sorted(one.name for one in found)


def _apps(target: Target, bot: AzureBotStatus) -> tuple[list[AppStatus], list[str]]:
    apps: list[AppStatus] = []
    missing: list[str] = []
    for role, find in _places(target, bot):
        try:
            site = find()
            if site.id.lower() in {app.id.id.lower() for app in apps}:
                continue
            apps.append(read_app(target.for_app(site), role))
        except (UnknownName, Ambiguous):  # the command line's
            raise
        except AzureProblem as error:
            missing.append(f"{role}: {error}")
    return apps, missing


def _places(target: Target, bot: AzureBotStatus) -> Iterator[tuple[str, Callable[[], ResourceId]]]:
    """The roles that apps have, and how to find each."""
    if bot.endpoint:
        yield CURRENT, partial(target.site_at, bot.endpoint)
    if target.options.app:
        yield NEW, lambda: target.site_id
    elif bot.tags.get(NEW_ENDPOINT):
        yield NEW, partial(target.site_at, bot.tags[NEW_ENDPOINT])
    if bot.tags.get(PREVIOUS_ENDPOINT):
        yield OLD, partial(target.site_at, bot.tags[PREVIOUS_ENDPOINT])


def _with_role(apps: Iterable[AppStatus], *roles: str) -> AppStatus | None:
    """The app with the first of these roles that one has."""
    by_role = {app.role: app for app in apps}
    return next((by_role[role] for role in roles if role in by_role), None)
