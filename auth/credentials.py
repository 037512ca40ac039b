"""The kinds of credentials: a row for each value of BotCredential."""

from collections.abc import Callable
from pathlib import Path

from auth.certificate_file import CertificateFile
from auth.certificate_store import CertificateStore
from auth.certificate_versions import CertificateVersions
from auth.client_certificate import ClientCertificate
from auth.credential import Credential
from auth.entra import Entra
from auth.exported_certificate import ExportedCertificate
from auth.federated_identity import FederatedIdentity
from auth.http_pool import HttpPool
from auth.key_vault import KeyVault
from auth.managed_identity import ManagedIdentity
from auth.settings import (
    CERTIFICATE,
    EXPORT,
    FEDERATED,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
    CertificateSource,
    Settings,
)
from auth.tokens import Tokens
from auth.vault_identity import VaultIdentity
from auth.vault_signing import VaultSigning


def _managed_identity(settings: Settings, _: HttpPool) -> Credential:
    return ManagedIdentity(settings.app_id, "MicrosoftAppId")


def _certificate(settings: Settings, pool: HttpPool) -> Credential:
    source = settings.certificate
    if source is None:
        raise TypeError("settings with the credential Certificate always say where it is")
    return ClientCertificate(
        settings.app_id,
        Entra(settings.app_id, settings.authority, pool),
        CertificateVersions(_store(source, settings.identity_client_id), source.thumbprints),
        send_x5c=source.send_x5c,
    )


def _store(source: CertificateSource, identity_client_id: str) -> CertificateStore:
    if source.path:
        return CertificateFile(Path(source.path))
    # The request that needs the vault is patient already.
    identity = Tokens(ManagedIdentity(identity_client_id, "AZURE_CLIENT_ID"), patience=())
    vault = KeyVault(source.vault_url, source.name, VaultIdentity(identity))
    return _VAULT_STORES[source.key_use](vault)


def _federated(settings: Settings, pool: HttpPool) -> Credential:
    return FederatedIdentity(
        Entra(settings.app_id, settings.authority, pool),
        ManagedIdentity(settings.identity_client_id, "AZURE_CLIENT_ID"),
        settings.federation_audience,
    )


_VAULT_STORES: dict[str, Callable[[KeyVault], CertificateStore]] = {
    EXPORT: ExportedCertificate,
    SIGN_IN_VAULT: VaultSigning,
}

_CREDENTIALS: dict[str, Callable[[Settings, HttpPool], Credential]] = {
    MANAGED_IDENTITY: _managed_identity,
    CERTIFICATE: _certificate,
    FEDERATED: _federated,
}


def credential_for(settings: Settings, pool: HttpPool) -> Credential:
    """The credential that BotCredential names."""
    return _CREDENTIALS[settings.credential](settings, pool)
