"""NamedResource and VaultPart: the storage account and the key vault that the settings name."""

from collections.abc import Mapping
from dataclasses import dataclass

from admin.azure.arm_client import STORAGE, VAULT
from admin.azure.clients import AzureClients
from admin.azure.errors import Forbidden, NotFound
from admin.azure.json_object import JsonObject
from admin.azure.resources import ResourceId, find_resource
from admin.azure.site_lookup import host_of
from admin.plan.setting_names import setting, storage_account


@dataclass(frozen=True)
class NamedResource:
    """A resource that a setting names.

    Attributes:
        name: what the setting says; empty: the settings name none.
        found: the resource; empty: the account sees none of this name.
    """

    name: str
    found: JsonObject

    @property
    def id(self) -> str:
        """Its resource id; empty if there is none."""
        return str(self.found.get("id") or "")


@dataclass(frozen=True)
class VaultPart:
    """The key vault of the bot's certificate.

    Attributes:
        vault: the vault.
        deleted_in: the region of a deleted vault of this name, which can be recovered; empty: there
            is none; None: the account may not list what was deleted in the subscription.
        certificate: name of the certificate.
        versions: the certificate's enabled versions, the newest first; None: they cannot be read.
        is_disabled: whether it has versions, and none is enabled.
        problem: why they cannot; empty: they can.
        cure: what to do about that.
    """

    vault: NamedResource
    deleted_in: str | None = ""
    certificate: str = ""
    versions: tuple[JsonObject, ...] | None = ()
    problem: str = ""
    cure: str = ""
    is_disabled: bool = False


def read_storage(
    azure: AzureClients, app: ResourceId, settings: Mapping[str, str]
) -> NamedResource:
    """The storage account that the settings name.

    Raises:
        AzureProblem: the accounts cannot be listed.
    """
    return _named(azure, STORAGE, storage_account(settings), app.subscription)


def read_vault(azure: AzureClients, app: ResourceId, settings: Mapping[str, str]) -> VaultPart:
    """The key vault that the settings name, with the certificate's versions.

    Raises:
        AzureProblem: the vaults cannot be listed.
    """
    url = setting(settings, "CertificateVaultUrl")
    certificate = setting(settings, "CertificateName")
    name = host_of(url).partition(".")[0]
    vault = _named(azure, VAULT, name, app.subscription)
    if not vault.id:
        deleted = _deleted_in(azure, app.subscription, name) if name else ""
        return VaultPart(vault, deleted, certificate)
    try:
        found = azure.vault.versions(url, certificate) if certificate else []
    except NotFound:
        return VaultPart(vault, certificate=certificate)
    except Forbidden as error:
        role_cure = f"Give your account Key Vault Reader on the vault {name}"
        return VaultPart(
            vault,
            certificate=certificate,
            versions=None,
            problem=error.answer,
            cure=role_cure if error.needs_role else error.cure,
        )
    enabled = [one for one in found if (one.get("attributes") or {}).get("enabled", True)]
    enabled.sort(key=lambda one: int(one["attributes"].get("created") or 0), reverse=True)
    is_disabled = bool(found) and not enabled
    return VaultPart(vault, "", certificate, tuple(enabled), is_disabled=is_disabled)


def _named(azure: AzureClients, kind: str, name: str, subscription: str) -> NamedResource:
    if not name:
        return NamedResource("", {})
    # Nothing else has this name in all of Azure, so that any subscription will do.
    for place in (subscription, ""):
        try:
            found = find_resource(azure.arm, kind, name, subscription=place)
            return NamedResource(name, azure.arm.get(found.id))
        except NotFound:
            continue
    return NamedResource(name, {})


def _deleted_in(azure: AzureClients, subscription: str, name: str) -> str | None:
    """`VaultPart.deleted_in`."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults"
    try:
        found = list(azure.arm.pages(path))
    except Forbidden:  # a role on the resource group is not enough
        return None
    named = (one for one in found if str(one["name"]).lower() == name.lower())
    return next((str(one["properties"]["location"]) for one in named), "")
