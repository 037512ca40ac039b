"""An app registration's credentials: certificates, client secrets, federated credentials."""

import datetime
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography import x509

EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
"""The audience of federated credentials in the public cloud (Entra's recommended value)."""

CERTIFICATE = "certificate"
CLIENT_SECRET = "clientSecret"  # noqa: S105  # a kind of credential
FEDERATED = "federatedIdentityCredential"
"""Kinds of credentials, as Graph's sign-in reports name them (`clientCredentialType`)."""

HINT_LENGTH = 3
"""Characters of a secret that Graph shows (passwordCredential resource type, `hint`)."""


def _new_id() -> str:
    return str(uuid.uuid4())


class UsedCredential(NamedTuple):
    """The credential with which an application signed in.

    Attributes:
        kind: CERTIFICATE, CLIENT_SECRET or FEDERATED.
        key_id: GUID of the credential at Graph.
    """

    kind: str
    key_id: str


@dataclass(frozen=True)
class KeyCredential:
    """A certificate on an app registration, with what Graph shows of it.

    Attributes:
        certificate: the public part.
        start, end: when Entra accepts it; within the certificate's own period.
        key_id: GUID.
        display_name: at most 90 characters; empty: none.
        identifier: `customKeyIdentifier` that the client chose; empty: the SHA-1 thumbprint.
    """

    certificate: x509.Certificate
    start: datetime.datetime
    end: datetime.datetime
    key_id: str = field(default_factory=_new_id)
    display_name: str = ""
    identifier: str = ""

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "KeyCredential":
        """A certificate that was uploaded without further details."""
        return cls(
            certificate,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            display_name=certificate.subject.rfc4514_string(),
        )


@dataclass(frozen=True)
class ClientSecret:
    """A client secret, without its value: Entra shows that once, when it makes it.

    Attributes:
        start, end: when Entra accepts it.
        digest: SHA-256 of the value.
        hint: the value's first characters.
        key_id: GUID.
        display_name: empty: none.
    """

    start: datetime.datetime
    end: datetime.datetime
    digest: bytes = field(repr=False)
    hint: str
    key_id: str = field(default_factory=_new_id)
    display_name: str = ""

    @classmethod
    def create(
        cls, start: datetime.datetime, end: datetime.datetime, display_name: str = ""
    ) -> tuple["ClientSecret", str]:
        """A new secret, and its value."""
        value = secrets.token_urlsafe(30)
        made = cls(start, end, _digest(value), value[:HINT_LENGTH], display_name=display_name)
        return made, value

    def has(self, value: str) -> bool:
        """Whether `value` is this secret's."""
        return hmac.compare_digest(_digest(value), self.digest)


def _digest(value: str) -> bytes:
    # A secret is random and long: no salt or slow hash is needed.
    return hashlib.sha256(value.encode()).digest()


@dataclass(frozen=True)
class TrustedSubject:
    """A federated credential: whose tokens are accepted instead of an assertion by certificate.

    Entra compares each value exactly, and case-sensitively.

    Attributes:
        issuer: URL, the `iss` claim of the trusted tokens.
        subject: their `sub` claim; for a managed identity its principal id (GUID).
        audience: their `aud` claim.
        name: 3 to 120 characters, unique on the registration; cannot be changed.
        description: at most 600 characters.
        key_id: GUID, the `id` at Graph.
    """

    issuer: str
    subject: str
    audience: str = EXCHANGE_AUDIENCE
    name: str = "federated-credential"
    description: str = ""
    key_id: str = field(default_factory=_new_id, compare=False)
