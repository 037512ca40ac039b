"""Comparison of a federated credential with the app's identity, letter by letter."""

from admin.azure.cloud import ManagementCloud
from admin.migrate.status.parts.registration import FederatedStatus


def differences(
    credential: FederatedStatus, cloud: ManagementCloud, tenant_id: str, principal_id: str
) -> list[str]:
    """Where the credential differs from what the identity's tokens say; empty: nowhere.

    Entra compares case-sensitively, and accepts wrong values when the credential is created.

    Args:
        credential: the federated credential.
        cloud: the cloud.
        tenant_id: the identity's tenant (GUID).
        principal_id: the identity's principal id (GUID).
    """
    wanted = {
        "issuer": (credential.issuer, f"{cloud.authority}/{tenant_id}/v2.0"),
        "subject": (credential.subject, principal_id),
        "audience": (" ".join(credential.audiences), cloud.federation_audience),
    }
    return [
        f"{name} {given!r} is not {right!r} (from character {_first_difference(given, right)})"
        for name, (given, right) in wanted.items()
        if given != right
    ]


def _first_difference(given: str, right: str) -> int:
    """The first character that differs, counted from 1."""
    pairs = enumerate(zip(given, right, strict=False), 1)
    equal = min(len(given), len(right)) + 1
    return next((place for place, (one, other) in pairs if one != other), equal)
