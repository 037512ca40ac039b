"""Registration: the bot's app registration in Entra."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography import x509

CHANNEL_TENANT = "d6d49420-f39b-4df7-a1dc-d59a935871db"
"""The tenant behind `botframework.com`, where multi-tenant bots sign in (GUID)."""

EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
"""The audience of federated credentials in the public cloud (Entra's recommended value)."""


def issuer_of(tenant_id: str) -> str:
    """The `iss` claim of a tenant's version 1.0 tokens (URL)."""
    return f"https://sts.windows.net/{tenant_id}/"


@dataclass(frozen=True)
class TrustedSubject:
    """A federated credential: whose tokens are accepted instead of an assertion by certificate.

    Entra compares each value exactly, and case-sensitively.

    Attributes:
        issuer: URL, the `iss` claim of the trusted tokens.
        subject: their `sub` claim; for a managed identity its principal id (GUID).
        audience: their `aud` claim.
    """

    issuer: str
    subject: str
    audience: str = EXCHANGE_AUDIENCE


@dataclass
class Registration:
    """The bot's app registration, or its managed identity (same client id, no certificates).

    Attributes:
        app_id: GUID, MicrosoftAppId.
        tenant_id: GUID, the home tenant.
        app_type: UserAssignedMSI, SingleTenant or MultiTenant.
        certificates: uploaded certificates, the newest last; Entra accepts assertions signed with
            these only.
        federated_credentials: trusted subjects; Entra allows twenty.
        token_version: of tokens whose audience it is, 1 or 2 (`requestedAccessTokenVersion` in the
            manifest of an app registration; 1 unless it is set).
        clock: seconds, monotonic; a test may replace it.
    """

    app_id: str
    tenant_id: str
    app_type: str
    certificates: list[x509.Certificate] = field(default_factory=list)
    federated_credentials: list[TrustedSubject] = field(default_factory=list)
    token_version: int = 1
    clock: Callable[[], float] = time.monotonic
    _known_from: dict[x509.Certificate, float] = field(default_factory=dict, init=False)

    def register(self, certificate: x509.Certificate, after: float = 0.0) -> None:
        """Upload a certificate, which Entra may know only after some time.

        Args:
            certificate: the public part.
            after: seconds from now until assertions signed with it are accepted.
        """
        if certificate not in self.certificates:
            self.certificates.append(certificate)
        self._known_from[certificate] = self.clock() + after

    def withdraw(self, certificate: x509.Certificate) -> None:
        """Remove an uploaded certificate; Entra refuses it immediately.

        Raises:
            ValueError: it was not uploaded.
        """
        self.certificates.remove(certificate)
        self._known_from.pop(certificate, None)

    def withdraw_old(self) -> None:
        """Remove all certificates but the newest."""
        for certificate in self.certificates[:-1]:
            self.withdraw(certificate)

    def known_certificates(self) -> list[x509.Certificate]:
        """The uploaded certificates that Entra accepts by now."""
        now = self.clock()
        return [known for known in self.certificates if self._known_from.get(known, now) <= now]

    @property
    def sign_in_tenant(self) -> str:
        """The tenant (GUID) that issues the tokens that channels accept from this bot."""
        return CHANNEL_TENANT if self.app_type == "MultiTenant" else self.tenant_id

    @property
    def token_issuer(self) -> str:
        """The `iss` claim of those tokens (URL)."""
        return issuer_of(self.sign_in_tenant)
