"""VaultStatus and RoleStatus: the certificate in its vault, and who may use it."""

import datetime
from dataclasses import dataclass
from urllib.parse import quote

from admin.azure.arm_client import ArmClient
from admin.azure.errors import Forbidden
from admin.azure.json_object import JsonObject
from admin.migrate.status.parts.app import AppStatus
from admin.migrate.thumbprints import Thumbprints, of_identifier
from admin.plan.target import Target


@dataclass(frozen=True)
class VaultStatus:
    """A certificate in a key vault, its newest version first.

    Attributes:
        url: the vault's.
        certificate: the certificate's name.
        versions: thumbprint and end (ISO 8601; empty: not known) of each enabled version.
    """

    url: str
    certificate: str
    versions: tuple[tuple[Thumbprints, str], ...]


@dataclass(frozen=True)
class RoleStatus:
    """A role of the app's identity.

    Attributes:
        role: its name, such as "Key Vault Certificate User".
        scope: resource id.
    """

    role: str
    scope: str


def read_vault(target: Target, app: AppStatus) -> VaultStatus | None:
    """The certificate that the app's settings name; None if they name none.

    Raises:
        AzureProblem: the vault cannot be read.
    """
    shown = app.settings.value.shown if app.settings.value else {}
    url, name = shown.get("CertificateVaultUrl"), shown.get("CertificateName")
    if not url or not name:
        return None
    found = [
        one
        for one in target.azure.vault.versions(url, name)
        if (one.get("attributes") or {}).get("enabled", True)
    ]
    found.sort(key=lambda one: int(one["attributes"].get("created") or 0), reverse=True)
    return VaultStatus(url, name, tuple(map(_version, found)))


def _version(found: JsonObject) -> tuple[Thumbprints, str]:
    ends = found["attributes"].get("exp")
    end = datetime.datetime.fromtimestamp(int(ends), datetime.UTC).isoformat() if ends else ""
    return of_identifier(str(found.get("x5t") or "")), end


def read_roles(target: Target, app: AppStatus) -> list[RoleStatus]:
    """The roles of the identity with which the app signs in, in its subscription; if the account
    sees its resource group only, those at the group, above and below it.

    Raises:
        AzureProblem: they cannot be listed, not even those of the app's resource group.
    """
    principal = app.identity.principal_id if app.identity else app.system_principal_id
    if not principal:
        return []
    arm, subscription = target.azure.arm, f"/subscriptions/{app.id.subscription}"
    try:
        found = _roles(arm, subscription, principal)
    except Forbidden:
        found = _roles(arm, f"{subscription}/resourceGroups/{app.id.resource_group}", principal)
    return sorted(found, key=lambda one: (one.scope, one.role))


def _roles(arm: ArmClient, scope: str, principal: str) -> list[RoleStatus]:
    """The roles of a principal (GUID) at a subscription or resource group, above and below it."""
    start = f"{scope}/providers/Microsoft.Authorization"
    clause = quote(f"principalId eq '{principal}'")
    names: dict[str, str] = {}
    found = []
    for one in arm.pages(f"{start}/roleAssignments?$filter={clause}"):
        properties = one["properties"]
        role = properties["roleDefinitionId"].rpartition("/")[2]
        if role not in names:
            read = arm.find(f"{start}/roleDefinitions/{role}") or {}
            names[role] = (read.get("properties") or {}).get("roleName") or role
        found.append(RoleStatus(names[role], properties["scope"]))
    return found
