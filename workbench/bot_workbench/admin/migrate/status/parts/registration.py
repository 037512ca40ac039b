"""RegistrationStatus: the credentials of the bot's app registration."""

import datetime
from dataclasses import dataclass, field

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.migrate.status.parts.part import Part, read
from bot_workbench.admin.migrate.thumbprints import Thumbprints, of_key_credential

VALID, EXPIRED, NOT_YET = "valid", "expired", "not yet valid"
SOON_DAYS = 30


@dataclass(frozen=True)
class CredentialPeriod:
    """When a credential can be used.

    Attributes:
        starts, ends: as Graph writes them (ISO 8601, UTC).
    """

    starts: str
    ends: str

    @classmethod
    def of(cls, credential: JsonObject) -> "CredentialPeriod":
        """The period of a secret or a certificate, as Graph returns these."""
        return cls(
            str(credential.get("startDateTime") or ""), str(credential.get("endDateTime") or "")
        )

    def state(self, now: datetime.datetime) -> str:
        """VALID, EXPIRED or NOT_YET."""
        if (end := _time(self.ends)) is not None and end <= now:
            return EXPIRED
        start = _time(self.starts)
        return NOT_YET if start is not None and start > now else VALID

    def ends_soon(self, now: datetime.datetime) -> bool:
        """Whether it ends within SOON_DAYS, or has ended."""
        end = _time(self.ends)
        return end is not None and end <= now + datetime.timedelta(days=SOON_DAYS)


@dataclass(frozen=True)
class SecretStatus:
    """A client secret. Nobody can read its value again.

    Attributes:
        key_id: GUID.
        name: its description; may be empty.
        hint: the first characters of its value.
        period: when it can be used.
    """

    key_id: str
    name: str
    hint: str
    period: CredentialPeriod


@dataclass(frozen=True)
class CertificateStatus:
    """A certificate's public key.

    Attributes:
        key_id: GUID.
        name: its display name; may be empty.
        thumbprints: in all spellings.
        period: when Entra accepts it.
    """

    key_id: str
    name: str
    thumbprints: Thumbprints
    period: CredentialPeriod


@dataclass(frozen=True)
class FederatedStatus:
    """A federated credential.

    Attributes:
        name: its name.
        issuer: URL.
        subject: an identity's principal id (GUID), or a pipeline's name.
        audiences: URIs.
    """

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]


@dataclass(frozen=True)
class RegistrationStatus:
    """An app registration.

    Attributes:
        object_id: GUID of the application object.
        name: display name.
        audience: who may sign in, such as "AzureADMyOrg".
        secrets: client secrets.
        certificates: certificates.
        federated: federated credentials.
        last_sign_ins: the last sign-in (ISO 8601) with a credential, by its key id (lower-case).
    """

    object_id: str
    name: str
    audience: str
    secrets: tuple[SecretStatus, ...] = ()
    certificates: tuple[CertificateStatus, ...] = ()
    federated: Part[list[FederatedStatus]] = field(default_factory=lambda: Part([]))
    last_sign_ins: Part[dict[str, str]] = field(default_factory=lambda: Part({}))


def read_registration(graph: GraphClient, application: JsonObject) -> RegistrationStatus:
    """The status of an application object that was read from Graph."""
    object_id, app_id = application["id"], application["appId"]
    return RegistrationStatus(
        object_id=object_id,
        name=str(application.get("displayName") or ""),
        audience=str(application.get("signInAudience") or ""),
        secrets=tuple(map(_secret, application.get("passwordCredentials") or [])),
        certificates=tuple(map(_certificate, application.get("keyCredentials") or [])),
        federated=read(lambda: [_federated(one) for one in graph.federated_credentials(object_id)]),
        last_sign_ins=read(lambda: graph.last_sign_ins(app_id)),
    )


def _secret(found: JsonObject) -> SecretStatus:
    return SecretStatus(
        str(found["keyId"]),
        str(found.get("displayName") or ""),
        str(found.get("hint") or ""),
        CredentialPeriod.of(found),
    )


def _certificate(found: JsonObject) -> CertificateStatus:
    return CertificateStatus(
        str(found["keyId"]),
        str(found.get("displayName") or ""),
        of_key_credential(found),
        CredentialPeriod.of(found),
    )


def _federated(found: JsonObject) -> FederatedStatus:
    return FederatedStatus(
        str(found.get("name") or ""),
        str(found.get("issuer") or ""),
        str(found.get("subject") or ""),
        tuple(found.get("audiences") or ()),
    )


def _time(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
