"""VaultStatus and RoleStatus: the certificate in its vault, and who may use it."""

import datetime
from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.status.parts.app import AppStatus
from bot_workbench.admin.migrate.steps.assigned_roles import read_assigned_roles
from bot_workbench.admin.migrate.thumbprints import Thumbprints, of_identifier
from bot_workbench.admin.plan.target import Target


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
    """The roles of the identity with which the app signs in.

    Raises:
        AzureProblem: they cannot be listed.
    """
    principal = app.identity.principal_id if app.identity else app.system_principal_id
    if not principal:
        return []
    found = read_assigned_roles(target.azure.arm, app.id, principal)
    return sorted(
        (RoleStatus(one.name, one.scope) for one in found), key=lambda one: (one.scope, one.role)
    )
