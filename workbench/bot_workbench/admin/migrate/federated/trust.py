"""Trust: what a federated credential must say so that Entra accepts an identity's tokens."""

from dataclasses import dataclass

from bot_workbench.admin.azure.cloud import ManagementCloud
from bot_workbench.admin.azure.json_object import JsonObject


@dataclass(frozen=True)
class Difference:
    """A value of a credential that is not as it must be.

    Attributes:
        name: Graph's property: issuer, subject or audiences.
        given: what the credential has.
        wanted: what the identity's tokens have.
    """

    name: str
    given: object
    wanted: object


@dataclass(frozen=True)
class Trust:
    """The values that Entra compares, character by character, with the claims of the identity's
    token. It accepts wrong values when the credential is created.

    Attributes:
        issuer: URL of the tenant.
        subject: principal id of the identity (GUID).
        audience: URI, by cloud.
    """

    issuer: str
    subject: str
    audience: str

    @classmethod
    def of(cls, cloud: ManagementCloud, tenant_id: str, principal_id: str) -> "Trust":
        """The trust in an identity.

        Args:
            cloud: the cloud.
            tenant_id: the identity's tenant (GUID).
            principal_id: the identity's principal id (GUID).
        """
        issuer = f"{cloud.authority}/{tenant_id}/v2.0"
        return cls(issuer, principal_id, cloud.federation_audience)

    def differences(self, found: JsonObject) -> list[Difference]:
        """Where a credential, as Graph returns it, differs; empty: nowhere."""
        wanted = {"issuer": self.issuer, "subject": self.subject, "audiences": [self.audience]}
        return [
            Difference(name, found.get(name), value)
            for name, value in wanted.items()
            if found.get(name) != value
        ]

    def resembles(self, found: JsonObject) -> bool:
        """Whether a credential is meant for the same identity, whatever its audience."""
        issuer, subject = str(found.get("issuer") or ""), str(found.get("subject") or "")
        return (
            subject.lower() == self.subject.lower()
            and issuer.lower().rstrip("/") == self.issuer.lower()
        )
