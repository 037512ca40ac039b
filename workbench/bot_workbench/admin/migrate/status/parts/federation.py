"""Comparison of a federated credential with the app's identity, letter by letter."""

from bot_workbench.admin.azure.cloud import ManagementCloud
from bot_workbench.admin.migrate.federated.trust import Trust
from bot_workbench.admin.migrate.status.parts.registration import FederatedStatus


def differences(
    credential: FederatedStatus, cloud: ManagementCloud, tenant_id: str, principal_id: str
) -> list[str]:
    """Where the credential differs from what the identity's tokens say; empty: nowhere.

    Args:
        credential: the federated credential.
        cloud: the cloud.
        tenant_id: the identity's tenant (GUID).
        principal_id: the identity's principal id (GUID).
    """
    found = {
        "issuer": credential.issuer,
        "subject": credential.subject,
        "audiences": list(credential.audiences),
    }
    pairs = [
        (one.name, _text(one.given), _text(one.wanted))
        for one in Trust.of(cloud, tenant_id, principal_id).differences(found)
    ]
    return [
        f"{name} {given!r} is not {right!r} (from character {_first_difference(given, right)})"
        for name, given, right in pairs
    ]


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _first_difference(given: str, right: str) -> int:
    """The first character that differs, counted from 1."""
    pairs = enumerate(zip(given, right, strict=False), 1)
    equal = min(len(given), len(right)) + 1
    return next((place for place, (one, other) in pairs if one != other), equal)
