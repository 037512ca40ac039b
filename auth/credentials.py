"""The kinds of credentials: a row for each value of BotCredential.

What a kind imports is imported when it is chosen: Azure's SDKs and MSAL take a tenth of a second of
a cold start, and no bot needs all of them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from auth.credential import Credential
from auth.http_pool import HttpPool
from auth.settings import (
    CERTIFICATE,
    EXPORT,
    FEDERATED,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
    STORAGE,
    CertificateSource,
    Settings,
    StorageSource,
)
from auth.tokens import Tokens

if TYPE_CHECKING:
    from auth.certificate_store import CertificateStore
    from auth.cli_identity import CliIdentity
    from auth.key_vault import KeyVault
    from auth.sdk_identity import SdkIdentity


def _managed_identity(settings: Settings, pool: HttpPool) -> Credential:
    from auth.managed_identity import ManagedIdentity
    from auth.pool_transport import PoolTransport

    return ManagedIdentity(settings.app_id, "MicrosoftAppId", PoolTransport(pool))


def _certificate(settings: Settings, pool: HttpPool) -> Credential:
    from auth.certificate_versions import CertificateVersions
    from auth.client_certificate import ClientCertificate
    from auth.entra import Entra

    source = settings.certificate
    if source is None:
        raise TypeError("settings with the credential Certificate always say where it is")
    store = _file(source) if source.path else _vault(source, settings.identity_client_id)
    return ClientCertificate(
        settings.app_id,
        Entra(settings.app_id, settings.authority, pool),
        CertificateVersions(store, source.thumbprints),
        send_x5c=source.send_x5c,
    )


def _file(source: CertificateSource) -> "CertificateStore":
    from auth.certificate_file import CertificateFile

    return CertificateFile(Path(source.path))


def _vault(source: CertificateSource, identity_client_id: str) -> "CertificateStore":
    from auth.key_vault import KeyVault
    from auth.managed_identity import ManagedIdentity
    from auth.sdk_identity import SdkIdentity

    # The request that needs the vault is patient already.
    identity = Tokens(ManagedIdentity(identity_client_id, "AZURE_CLIENT_ID"), patience=())
    vault = KeyVault(source.vault_url, source.name, SdkIdentity(identity))
    return _VAULT_STORES[source.key_use](vault)


def _exported(vault: "KeyVault") -> "CertificateStore":
    from auth.exported_certificate import ExportedCertificate

    return ExportedCertificate(vault)


def _signing(vault: "KeyVault") -> "CertificateStore":
    from auth.vault_signing import VaultSigning

    return VaultSigning(vault)


def _federated(settings: Settings, pool: HttpPool) -> Credential:
    from auth.entra import Entra
    from auth.federated_identity import FederatedIdentity
    from auth.managed_identity import ManagedIdentity
    from auth.pool_transport import PoolTransport

    return FederatedIdentity(
        Entra(settings.app_id, settings.authority, pool),
        ManagedIdentity(settings.identity_client_id, "AZURE_CLIENT_ID", PoolTransport(pool)),
        settings.federation_audience,
    )


_VAULT_STORES: dict[str, Callable[["KeyVault"], "CertificateStore"]] = {
    EXPORT: _exported,
    SIGN_IN_VAULT: _signing,
}

_CREDENTIALS: dict[str, Callable[[Settings, HttpPool], Credential]] = {
    MANAGED_IDENTITY: _managed_identity,
    CERTIFICATE: _certificate,
    FEDERATED: _federated,
}


def credential_for(settings: Settings, pool: HttpPool) -> Credential:
    """The credential that BotCredential names."""
    return _CREDENTIALS[settings.credential](settings, pool)


def storage_identity(source: StorageSource) -> "SdkIdentity | None":
    """What signs in at the storage account; None where an account key does."""
    from auth.managed_identity import ManagedIdentity
    from auth.sdk_identity import SdkIdentity

    if source.connection_string:
        return None
    return SdkIdentity(Tokens(ManagedIdentity(source.client_id, f"{STORAGE}__clientId")))


def command_line_identity() -> "CliIdentity":
    """What signs a command in: the person who has run `az login`."""
    from auth.cli_identity import CliIdentity

    return CliIdentity()
