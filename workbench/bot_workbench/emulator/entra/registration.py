"""Registration: an app registration in Entra."""

import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from cryptography import x509

from bot_workbench.emulator.entra.credentials import ClientSecret, KeyCredential, TrustedSubject

CHANNEL_TENANT = "d6d49420-f39b-4df7-a1dc-d59a935871db"
"""The tenant behind `botframework.com`, where multi-tenant bots sign in (GUID)."""

MULTI_TENANT = "MultiTenant"
SINGLE_TENANT_AUDIENCE = "AzureADMyOrg"
MULTI_TENANT_AUDIENCE = "AzureADMultipleOrgs"


def issuer_of(tenant_id: str) -> str:
    """The `iss` claim of a tenant's version 1.0 tokens (URL)."""
    return f"https://sts.windows.net/{tenant_id}/"


@dataclass
class Registration:
    """An app registration, or a bot's managed identity (same client id, no certificates).

    Credentials may be changed in the lists themselves: Entra then knows of it immediately.

    Attributes:
        app_id: GUID, MicrosoftAppId.
        tenant_id: GUID, the home tenant.
        app_type: UserAssignedMSI, SingleTenant or MultiTenant.
        certificates: uploaded certificates, the newest last; Entra accepts assertions signed with
            these only.
        federated_credentials: trusted subjects; Entra allows twenty.
        token_version: of tokens whose audience it is, 1 or 2 (`requestedAccessTokenVersion` in the
            manifest of an app registration; 1 unless it is set).
        clock: seconds since 1970; a test may replace it.
        secrets: client secrets, the newest last.
        display_name: as the portal shows it.
        object_id: GUID of the application object, which Graph's URLs have.
        service_principal_id: GUID of its service principal, the `oid` of its tokens; empty: it has
            none, and cannot sign in.
        identifier_uris: Application ID URIs.
        unconsented: resources (URLs or GUIDs) for which the application lacks users' consent; for
            all others, it has that.
        owners: object ids (GUIDs) of the principals that own it.
        created: seconds since 1970.
        intermittent: a credential that Entra does not know yet is accepted every second time, as if
            some of its servers knew it.
    """

    app_id: str
    tenant_id: str
    app_type: str
    certificates: list[x509.Certificate] = field(default_factory=list)
    federated_credentials: list[TrustedSubject] = field(default_factory=list)
    token_version: int = 1
    clock: Callable[[], float] = time.time
    secrets: list[ClientSecret] = field(default_factory=list)
    display_name: str = ""
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    service_principal_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    identifier_uris: list[str] = field(default_factory=list)
    unconsented: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    created: float = field(default_factory=time.time)
    intermittent: bool = False
    _known_from: dict[Hashable, float] = field(default_factory=dict, init=False)
    _details: dict[x509.Certificate, KeyCredential] = field(default_factory=dict, init=False)
    _removed: dict[Hashable, float] = field(default_factory=dict, init=False)
    _early_uses: int = field(default=0, init=False)

    def register(self, certificate: x509.Certificate, after: float = 0.0) -> None:
        """Upload a certificate, which Entra may know only after some time.

        Args:
            certificate: the public part.
            after: seconds from now until assertions signed with it are accepted.
        """
        if certificate not in self.certificates:
            self.certificates.append(certificate)
            self._details.pop(certificate, None)
        self.delay(certificate, after)

    def withdraw(self, certificate: x509.Certificate, after: float = 0.0) -> None:
        """Remove an uploaded certificate.

        Args:
            certificate: one of `certificates`.
            after: seconds from now for which Entra still accepts it.

        Raises:
            ValueError: it was not uploaded.
        """
        self.certificates.remove(certificate)
        self._forget(certificate, after)

    def withdraw_old(self) -> None:
        """Remove all certificates but the newest."""
        for certificate in self.certificates[:-1]:
            self.withdraw(certificate)

    def remove_secret(self, secret: ClientSecret, after: float = 0.0) -> None:
        """Delete a client secret.

        Args:
            secret: one of `secrets`.
            after: seconds from now for which Entra still accepts it.

        Raises:
            ValueError: it is not one of `secrets`.
        """
        self.secrets.remove(secret)
        self._forget(secret, after)

    def trust(self, trusted: TrustedSubject, after: float = 0.0) -> None:
        """Add a federated credential.

        Args:
            trusted: whose tokens are accepted.
            after: seconds from now until they are.
        """
        self.federated_credentials.append(trusted)
        self.delay(trusted, after)

    def distrust(self, trusted: TrustedSubject, after: float = 0.0) -> None:
        """Remove a federated credential.

        Args:
            trusted: one of `federated_credentials`.
            after: seconds from now for which Entra still accepts its tokens.

        Raises:
            ValueError: it is not one of `federated_credentials`.
        """
        self.federated_credentials.remove(trusted)
        self._forget(trusted, after)

    def delay(self, credential: Hashable, after: float) -> None:
        """Let Entra accept a credential of these lists only after so many seconds."""
        self._known_from[credential] = self.clock() + after

    def is_known(self, credential: Hashable) -> bool:
        """Whether Entra accepts a credential of these lists by now; see `intermittent`."""
        if self._known_from.get(credential, 0.0) <= self.clock():
            return True
        self._early_uses += 1
        return self.intermittent and self._early_uses % 2 == 0

    def known_certificates(self) -> list[x509.Certificate]:
        """The certificates that Entra accepts by now, and the removed ones that it still does."""
        known = [each for each in self.certificates if self.is_known(each)]
        return known + self._still_known(self.certificates, x509.Certificate)

    def known_secrets(self) -> list[ClientSecret]:
        """The client secrets that Entra accepts by now, and the deleted ones that it still does."""
        known = [each for each in self.secrets if self.is_known(each)]
        return known + self._still_known(self.secrets, ClientSecret)

    def trusted_subjects(self) -> list[TrustedSubject]:
        """The federated credentials, and the removed ones whose tokens Entra still accepts."""
        removed = self._still_known(self.federated_credentials, TrustedSubject)
        return self.federated_credentials + removed

    def _still_known[T: Hashable](self, listed: list[T], kind: type[T]) -> list[T]:
        """The removed credentials of a kind that Entra accepts nevertheless."""
        now = self.clock()
        removed = [each for each, end in self._removed.items() if now < end]
        return [each for each in removed if isinstance(each, kind) and each not in listed]

    def _forget(self, credential: Hashable, after: float) -> None:
        self._known_from.pop(credential, None)
        if after > 0:
            self._removed[credential] = self.clock() + after

    def key_credential(self, certificate: x509.Certificate) -> KeyCredential:
        """An uploaded certificate as Graph shows it."""
        return self._details.setdefault(certificate, KeyCredential.of(certificate))

    def key_credentials(self) -> list[KeyCredential]:
        """All uploaded certificates as Graph shows them, the newest last."""
        return [self.key_credential(certificate) for certificate in self.certificates]

    def add_key(self, credential: KeyCredential, after: float = 0.0) -> None:
        """Upload a certificate with details that a client has chosen; see `register`."""
        self.register(credential.certificate, after)
        self._details[credential.certificate] = credential

    @property
    def sign_in_tenant(self) -> str:
        """The tenant (GUID) that issues the tokens that channels accept from this bot."""
        return CHANNEL_TENANT if self.app_type == MULTI_TENANT else self.tenant_id

    @property
    def token_issuer(self) -> str:
        """The `iss` claim of those tokens (URL)."""
        return issuer_of(self.sign_in_tenant)

    @property
    def audience(self) -> str:
        """Who can sign in to it, as Graph names that: `signInAudience`."""
        is_multi_tenant = self.app_type == MULTI_TENANT
        return MULTI_TENANT_AUDIENCE if is_multi_tenant else SINGLE_TENANT_AUDIENCE
