"""The resources that the settings of a bot's app name: its storage account, the key vault with its
certificate, Application Insights."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from bot_workbench.admin.azure.arm_client import INSIGHTS, STORAGE, VAULT, ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AzureProblem, Forbidden, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import (
    ResourceId,
    find_resource,
    find_resources,
    host_of,
    resources_beside,
)
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    CERTIFICATE_NAME,
    CONNECTION,
    VAULT_URL,
    fields_of,
)
from bot_workbench.admin.migrate.thumbprints import Thumbprints, of_identifier
from bot_workbench.admin.plan.settings import setting, storage_account

WORKSPACE = "Microsoft.OperationalInsights/workspaces"


@dataclass(frozen=True)
class NamedResource:
    """A resource that a setting names.

    Attributes:
        name: what the setting says; empty: the settings name none.
        found: the resource; empty: the account sees none of this name.
        beside: if there is none, or the settings name none, the names of those of its type in the
            app's group.
    """

    name: str
    found: JsonObject
    beside: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its resource id; empty if there is none."""
        return str(self.found.get("id") or "")


@dataclass(frozen=True)
class NamedVault(NamedResource):
    """The key vault of the bot's certificate.

    Attributes:
        deleted_in: the region of a deleted vault of this name, which can be recovered; empty: there
            is none; None: the account may not list what was deleted in the subscription.
        certificate: name of the certificate.
        versions: the certificate's, the newest first.
        refusal: the account may not read the versions.
        is_deleted: whether the certificate was deleted, and can be recovered.
        others: if the settings name none that is there, the certificates of this vault, and of
            those in the app's group: the thumbprint (SHA-1 in upper-case hex), and the settings
            that name the certificate.
    """

    deleted_in: str | None = ""
    certificate: str = ""
    versions: tuple[JsonObject, ...] = ()
    refusal: Forbidden | None = None
    is_deleted: bool = False
    others: tuple[tuple[str, dict[str, str]], ...] = ()


@dataclass(frozen=True)
class Monitoring:
    """Application Insights.

    Attributes:
        component: the component that the connection string is of; empty: none, or none that the
            account sees.
        workspace: its Log Analytics workspace; empty: it has none, or `refusal` says why it cannot
            be read.
        refusal: the account may not read the workspace, which may be in another subscription.
        beside: ids of what could be meant, from the app's group: of components, if there is no
            component; of workspaces, if it has none.
    """

    component: JsonObject
    workspace: JsonObject
    refusal: Forbidden | None = None
    beside: tuple[str, ...] = ()


def read_storage(
    azure: AzureClients, app: ResourceId, settings: Mapping[str, str]
) -> NamedResource:
    """The storage account that the settings name.

    Raises:
        AzureProblem: the accounts cannot be listed.
    """
    name = storage_account(settings)
    if found := _named(azure.arm, STORAGE, name, app):
        return NamedResource(name, found)
    return NamedResource(name, {}, _names_beside(azure.arm, STORAGE, app))


def read_vault(azure: AzureClients, app: ResourceId, settings: Mapping[str, str]) -> NamedVault:
    """The key vault that the settings name, with the certificate's versions.

    Raises:
        AzureProblem: the vaults cannot be listed.
    """
    url, certificate = setting(settings, VAULT_URL), setting(settings, CERTIFICATE_NAME)
    host = host_of(url)
    name, _, domain = host.partition(".")
    if domain != azure.cloud.vault_suffix:
        name = host  # of another cloud, or no vault's: no vault has a dot in its name
    vault = NamedVault(name, _named(azure.arm, VAULT, name, app), certificate=certificate)
    if not name:
        return vault
    if not vault.id:
        deleted = _deleted_in(azure.arm, app.subscription, name)
        return replace(vault, deleted_in=deleted, others=tuple(_certificates(azure, app, "")))
    try:
        versions = certificate_versions(azure, url, certificate) if certificate else []
    except Forbidden as error:
        return replace(vault, refusal=error)
    except NotFound:
        versions = []
    if versions or not certificate:
        return replace(vault, versions=tuple(versions))
    others = tuple(_certificates(azure, app, url))
    return replace(vault, is_deleted=_is_deleted(azure, url, certificate), others=others)


def certificate_versions(azure: AzureClients, url: str, name: str) -> list[JsonObject]:
    """The versions of a certificate in a key vault (URL), the newest first.

    Raises:
        AzureProblem: they cannot be read.
    """
    found = azure.vault.versions(url, name)
    return sorted(found, key=lambda one: int(one["attributes"].get("created") or 0), reverse=True)


def enabled(versions: tuple[JsonObject, ...] | list[JsonObject]) -> list[JsonObject]:
    """Those of a certificate's versions that are not disabled."""
    return [one for one in versions if one["attributes"].get("enabled", True)]


def thumbprints_of(version: JsonObject) -> Thumbprints:
    """The thumbprints of a version."""
    return of_identifier(str(version.get("x5t") or ""))


def _certificates(
    azure: AzureClients, app: ResourceId, url: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Those of a vault (URL; empty: none) and of the vaults in the app's group, if the account may
    list them."""
    names = _names_beside(azure.arm, VAULT, app)
    beside = (f"https://{name.lower()}.{azure.cloud.vault_suffix}" for name in names)
    for each in dict.fromkeys([*([url.rstrip("/").lower()] if url else []), *beside]):
        with suppress(AzureProblem):  # it is not the bot's, or that cannot be known
            for one in azure.vault.certificates(each):
                named = {VAULT_URL: each, CERTIFICATE_NAME: str(one["id"]).split("/")[4]}
                yield thumbprints_of(one).sha1, named


def _is_deleted(azure: AzureClients, url: str, certificate: str) -> bool:
    try:
        return azure.vault.is_deleted(url, certificate)
    except AzureProblem:  # a role may see what is there, and not what was deleted
        return False


def _named(arm: ArmClient, kind: str, name: str, app: ResourceId) -> JsonObject:
    """The resource of this name; empty: the account sees none."""
    # Nothing else has this name in all of Azure, so that any subscription will do.
    for place in (app.subscription, "") if name else ():
        with suppress(NotFound):
            return arm.get(find_resource(arm, kind, name, subscription=place).id)
    return {}


def _names_beside(arm: ArmClient, kind: str, app: ResourceId) -> tuple[str, ...]:
    """The names of the resources of a type in the app's group."""
    return tuple(one.name for one in resources_beside(arm, kind, app))


def _deleted_in(arm: ArmClient, subscription: str, name: str) -> str | None:
    """`NamedVault.deleted_in`."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
    try:
        found = list(arm.pages(path))
    except Forbidden:  # a role on the resource group is not enough
        return None
    named = (one for one in found if str(one["name"]).lower() == name.lower())
    return next((str(one["properties"]["location"]) for one in named), "")


def read_monitoring(arm: ArmClient, app: ResourceId, settings: Mapping[str, str]) -> Monitoring:
    """The component whose connection string the app has, and its workspace.

    Raises:
        AzureProblem: the components cannot be listed.
    """
    wanted = fields_of(setting(settings, CONNECTION)).get("instrumentationkey", "").lower()
    component = _with_key(arm, app, wanted) if wanted else {}
    if not component:
        return Monitoring({}, {}, beside=_ids_beside(arm, INSIGHTS, app))
    workspace = component["properties"].get("WorkspaceResourceId")
    try:
        found = (arm.find(workspace) or {}) if workspace else {}
    except Forbidden as error:
        return Monitoring(component, {}, error)
    return Monitoring(component, found, beside=() if found else _ids_beside(arm, WORKSPACE, app))


def _with_key(arm: ArmClient, app: ResourceId, wanted: str) -> JsonObject:
    """The component with an instrumentation key; empty: the account sees none. Those beside the app
    are read first, because there may be hundreds."""
    near = find_resources(arm, INSIGHTS, subscription=app.subscription)
    group = app.resource_group.lower()
    ids = [one.id for one in sorted(near, key=lambda one: one.resource_group.lower() != group)]
    for one in _with_others(arm, ids):
        component = arm.find(one) or {"properties": {}}  # it may just have been deleted
        if str(component["properties"].get("InstrumentationKey")).lower() == wanted:
            return component
    return {}


def _with_others(arm: ArmClient, ids: list[str]) -> Iterator[str]:
    """Ids of components, and then those of all others that the account sees."""
    yield from ids
    known = {each.lower() for each in ids}
    everywhere = find_resources(arm, INSIGHTS, unreadable=[])
    yield from (one.id for one in everywhere if one.id.lower() not in known)


def _ids_beside(arm: ArmClient, kind: str, app: ResourceId) -> tuple[str, ...]:
    return tuple(one.id for one in resources_beside(arm, kind, app))
