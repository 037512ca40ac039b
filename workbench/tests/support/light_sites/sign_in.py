"""LightSignIn: whether the code of a site could sign in, by what the stand-ins know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from auth.settings import CertificateSource, Settings
from bot_workbench.credential_kinds import (
    CERTIFICATE,
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
)
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.identity_endpoint import SYSTEM
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.key_vault.vault import KeyVault

EXCHANGE = "api://AzureADTokenExchange"


class SignInRefused(Exception):
    """The sign-in fails; the text says where."""


@dataclass(frozen=True)
class SignedIn:
    """A successful sign-in.

    Attributes:
        settings: what the app has read from its environment.
        expires_on: when the token expires, seconds since 1970.
        certificate: what signed the assertion, if a certificate did.
    """

    settings: Settings
    expires_on: float
    certificate: x509.Certificate | None = None

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the certificate in upper-case hex; empty without one."""
        if self.certificate is None:
            return ""
        # A thumbprint is SHA-1 by definition; it is no security decision here.
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


class LightSignIn:
    """Signs in as the app does, without HTTP.

    Args:
        entra: has the directory.
        vault: finds a vault by its base URL.
    """

    def __init__(self, entra: Entra, vault: Callable[[str], KeyVault | None]) -> None:
        self._entra = entra
        self._vault = vault

    def sign_in(self, settings: Settings, identities: Mapping[str, str]) -> SignedIn:
        """Sign the app in.

        Args:
            settings: the app's.
            identities: the site's, principal id (GUID) by client id (GUID) or `system`.

        Raises:
            SignInRefused: see there.
        """
        ways: dict[str, Callable[[Settings, Mapping[str, str]], x509.Certificate | None]] = {
            MANAGED_IDENTITY: self._as_identity,
            CERTIFICATE: self._with_certificate,
            SIGN_IN_VAULT: self._with_certificate,
            FEDERATED: self._with_federated_token,
        }
        certificate = ways[settings.credential](settings, identities)
        now = self._entra.directory.clock()
        return SignedIn(settings, now + self._entra.token_lifetime, certificate)

    def has_valid_secret(self, app_id: str, value: str) -> bool:
        """Whether Entra accepts a client secret of an application (GUID)."""
        registration = self._entra.directory.find(app_id)
        now = self._entra.directory.now()
        return registration is not None and any(
            secret.has(value) and secret.start <= now < secret.end
            for secret in registration.known_secrets()
        )

    def _as_identity(self, settings: Settings, identities: Mapping[str, str]) -> None:
        _principal(identities, settings.app_id)

    def _with_certificate(
        self, settings: Settings, identities: Mapping[str, str]
    ) -> x509.Certificate:
        source = settings.certificate
        if source is None or source.path:
            raise SignInRefused("the certificate is not in a vault")
        principal_id = _principal(identities, settings.identity_client_id or SYSTEM)
        known = self._registration(settings).known_certificates()
        now = self._entra.directory.now()
        for certificate in self._versions(settings.credential, source, principal_id):
            valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
            if valid and certificate in known:
                return certificate
        raise SignInRefused("AADSTS700027: Entra knows none of the certificate's versions")

    def _versions(
        self, credential: str, source: CertificateSource, principal_id: str
    ) -> list[x509.Certificate]:
        """The versions that the app may use, the newest first."""
        vault = self._vault(source.vault_url)
        if vault is None:
            raise SignInRefused(f"there is no vault {source.vault_url}")
        if not vault.uses_roles():
            raise SignInRefused(f"{source.vault_url} was deleted, or uses access policies")
        for operation in KINDS[credential].vault_operations:
            path = f"/{operation.partition('/')[0]}/{source.name}"
            if not vault.permissions(principal_id, operation, path):
                raise SignInRefused(f"the identity has no permission for {operation}")
        vault.inventory.settle()
        versions = vault.inventory.versions.get(source.name, ())
        enabled = [each for each in versions if each.enabled]
        usable = [each.certificate for each in enabled if _is_allowed(each.certificate, source)]
        return usable[::-1]

    def _with_federated_token(self, settings: Settings, identities: Mapping[str, str]) -> None:
        client_id = settings.identity_client_id
        principal_id = _principal(identities, client_id)
        tenant_id = self._entra.directory.tenant_id
        token, _ = self._entra.app_token(EXCHANGE, client_id, principal_id, tenant_id=tenant_id)
        try:
            self._entra.federated.verify(token, self._registration(settings))
        except (EntraError, jwt.InvalidTokenError) as error:
            raise SignInRefused(str(error)) from error

    def _registration(self, settings: Settings) -> Registration:
        found = self._entra.directory.find(settings.app_id)
        if found is None or not found.service_principal_id:
            raise SignInRefused(f"AADSTS700016: there is no application {settings.app_id}")
        if found.service_principal_id in self._entra.directory.disabled:
            raise SignInRefused(f"AADSTS7000112: the application {settings.app_id} is disabled")
        return found


def _principal(identities: Mapping[str, str], client_id: str) -> str:
    """The principal id of one of the site's identities."""
    found = {name.lower(): principal_id for name, principal_id in identities.items()}
    if client_id.lower() not in found:
        raise SignInRefused(f"the identity {client_id} is not assigned to the site")
    return found[client_id.lower()]


def _is_allowed(certificate: x509.Certificate, source: CertificateSource) -> bool:
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # as above
    return not source.thumbprints or thumbprint in source.thumbprints
