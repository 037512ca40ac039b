"""NamedResource and VaultPart: the storage account and the key vault that the settings name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot_workbench.admin.azure.arm_client import STORAGE, VAULT
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AzureProblem, Forbidden, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, find_resource, host_of, resources_beside
from bot_workbench.admin.migrate.thumbprints import of_identifier
from bot_workbench.admin.plan.setting_names import setting, storage_account


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
class ListedCertificate:
    """A certificate that is in a key vault, by its newest version.

    Attributes:
        vault_url: https URL of the vault.
        name: its name there.
        thumbprint: SHA-1, in upper-case hex.
    """

    vault_url: str
    name: str
    thumbprint: str


@dataclass(frozen=True)
class VaultPart:
    """The key vault of the bot's certificate.

    Attributes:
        vault: the vault.
        deleted_in: the region of a deleted vault of this name, which can be recovered; empty: there
            is none; None: the account may not list what was deleted in the subscription.
        certificate: name of the certificate.
        versions: the certificate's enabled versions, the newest first; None: they cannot be read.
        problem: why they cannot; empty: they can.
        cure: what to do about that.
        is_disabled: whether its newest version is disabled.
        is_deleted: whether the certificate was deleted, and can be recovered.
        others: if the settings name none that is there, the certificates of this vault, and of
            those in the app's group.
    """

    vault: NamedResource
    deleted_in: str | None = ""
    certificate: str = ""
    versions: tuple[JsonObject, ...] | None = ()
    problem: str = ""
    cure: str = ""
    is_disabled: bool = False
    is_deleted: bool = False
    others: tuple[ListedCertificate, ...] = ()


def read_storage(
    azure: AzureClients, app: ResourceId, settings: Mapping[str, str]
) -> NamedResource:
    """The storage account that the settings name.

    Raises:
        AzureProblem: the accounts cannot be listed.
    """
    if name := storage_account(settings):
        return _named(azure, STORAGE, name, app)
    return NamedResource("", {}, _beside(azure, STORAGE, app))


def read_vault(azure: AzureClients, app: ResourceId, settings: Mapping[str, str]) -> VaultPart:
    """The key vault that the settings name, with the certificate's versions.

    Raises:
        AzureProblem: the vaults cannot be listed.
    """
    url = setting(settings, "CertificateVaultUrl")
    certificate = setting(settings, "CertificateName")
    host = host_of(url)
    name, _, domain = host.partition(".")
    if domain != azure.cloud.vault_suffix:
        name = host  # of another cloud, or no vault's: no vault has a dot in its name
    vault = _named(azure, VAULT, name, app)
    if not vault.id:
        deleted = _deleted_in(azure, app.subscription, name) if name else ""
        others = tuple(_certificates(azure, app, "")) if name else ()
        return VaultPart(vault, deleted, certificate, others=others)
    try:
        found = azure.vault.versions(url, certificate) if certificate else []
    except Forbidden as error:
        role_cure = f"Give your account Key Vault Reader on the vault {name}"
        return VaultPart(
            vault,
            certificate=certificate,
            versions=None,
            problem=error.answer,
            cure=role_cure if error.needs_role else error.cure,
        )
    except NotFound:
        found = []
    if certificate and not found:
        others = tuple(_certificates(azure, app, url))
        is_deleted = _is_deleted(azure, url, certificate)
        return VaultPart(vault, certificate=certificate, is_deleted=is_deleted, others=others)
    found.sort(key=lambda one: int(one["attributes"].get("created") or 0), reverse=True)
    enabled = [one for one in found if one["attributes"].get("enabled", True)]
    is_disabled = bool(found) and found[0] not in enabled
    return VaultPart(vault, "", certificate, tuple(enabled), is_disabled=is_disabled)


def _certificates(azure: AzureClients, app: ResourceId, url: str) -> Iterator[ListedCertificate]:
    """Those of a vault (URL; empty: none) and of the vaults in the app's group, if the account may
    list them."""
    found = resources_beside(azure.arm, VAULT, app)
    beside = (f"https://{one.name.lower()}.{azure.cloud.vault_suffix}" for one in found)
    for each in dict.fromkeys([*([url.rstrip("/").lower()] if url else []), *beside]):
        try:
            listed = azure.vault.certificates(each)
        except AzureProblem:  # it is not the bot's, or that cannot be known
            continue
        for one in listed:
            thumbprint = of_identifier(str(one.get("x5t") or "")).sha1
            yield ListedCertificate(each, str(one["id"]).split("/")[4], thumbprint)


def _is_deleted(azure: AzureClients, url: str, certificate: str) -> bool:
    try:
        return azure.vault.is_deleted(url, certificate)
    except AzureProblem:  # a role may see what is there, and not what was deleted
        return False


def _named(azure: AzureClients, kind: str, name: str, app: ResourceId) -> NamedResource:
    if not name:
        return NamedResource("", {})
    # Nothing else has this name in all of Azure, so that any subscription will do.
    for place in (app.subscription, ""):
        try:
            found = find_resource(azure.arm, kind, name, subscription=place)
            return NamedResource(name, azure.arm.get(found.id))
        except NotFound:
            continue
    return NamedResource(name, {}, _beside(azure, kind, app))


def _beside(azure: AzureClients, kind: str, app: ResourceId) -> tuple[str, ...]:
    """The names of the resources of a type in the app's group."""
    return tuple(one.name for one in resources_beside(azure.arm, kind, app))


def _deleted_in(azure: AzureClients, subscription: str, name: str) -> str | None:
    """`VaultPart.deleted_in`."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
    try:
        found = list(azure.arm.pages(path))
    except Forbidden:  # a role on the resource group is not enough
        return None
    named = (one for one in found if str(one["name"]).lower() == name.lower())
    return next((str(one["properties"]["location"]) for one in named), "")
