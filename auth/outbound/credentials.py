"""Creates the credential that the settings choose: one function for each value of BotCredential.

The modules of a credential are imported only if it is chosen: the Azure SDKs and MSAL add a tenth
of a second to a cold start, and no bot needs all of them.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auth.credential_kinds import (
    CERTIFICATE,
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
)
from auth.outbound.token_provider import Credential, TokenProvider
from auth.settings import STORAGE, CertificateSource, Settings, StorageSource
from http_client.pool import HttpPool

if TYPE_CHECKING:
    from auth.certificates.versions import CertificateStore


AtAuthority = Callable[[str], Credential]
"""Returns the credential that signs in at an authority: the URL of a tenant."""


def _managed_identity(settings: Settings, pool: HttpPool) -> AtAuthority:
    from auth.outbound.azure_sdk import PoolTransport
    from auth.outbound.managed_identity import ManagedIdentityCredential

    identity = ManagedIdentityCredential(settings.app_id, "MicrosoftAppId", PoolTransport(pool))
    return lambda _: identity  # the platform knows its tenant


def _certificate(settings: Settings, pool: HttpPool) -> AtAuthority:
    from auth.certificates.versions import CertificateVersions
    from auth.outbound.client_certificate import ClientCertificateCredential
    from auth.outbound.entra import EntraClient

    source = settings.certificate
    if source is None:
        raise TypeError(f"the credential {settings.credential} needs settings with a certificate")
    store = _file(source) if source.path else _vault(settings, source, pool)
    versions = CertificateVersions(store, source.thumbprints)  # read once, for all authorities
    return lambda authority: ClientCertificateCredential(
        settings.app_id,
        EntraClient(settings.app_id, authority, pool),
        versions,
        send_x5c=source.send_x5c,
    )


def _file(source: CertificateSource) -> "CertificateStore":
    from auth.certificates.private_key import CertificateFile

    return CertificateFile(Path(source.path))


def _vault(settings: Settings, source: CertificateSource, pool: HttpPool) -> "CertificateStore":
    from auth.certificates.key_vault import CertificateVault, ExportedCertificate, VaultSigning
    from auth.outbound.azure_sdk import AzureSdkCredential, PoolTransport
    from auth.outbound.managed_identity import ManagedIdentityCredential

    transport = PoolTransport(pool)
    identity = ManagedIdentityCredential(settings.identity_client_id, "AZURE_CLIENT_ID", transport)
    # No retries here: the bot's own token request, which calls the vault, is retried as a whole.
    tokens = TokenProvider(identity, max_attempts=1)
    credential = AzureSdkCredential(tokens)
    vault = CertificateVault(source.vault_url, source.name, credential, transport)
    return (
        ExportedCertificate(vault) if KINDS[settings.credential].loads_key else VaultSigning(vault)
    )


def _federated(settings: Settings, pool: HttpPool) -> AtAuthority:
    from auth.outbound.azure_sdk import PoolTransport
    from auth.outbound.entra import EntraClient
    from auth.outbound.federated import FederatedCredential
    from auth.outbound.managed_identity import ManagedIdentityCredential

    identity = ManagedIdentityCredential(
        settings.identity_client_id, "AZURE_CLIENT_ID", PoolTransport(pool)
    )
    return lambda authority: FederatedCredential(
        EntraClient(settings.app_id, authority, pool), identity, settings.federation_audience
    )


_CREDENTIALS: dict[str, Callable[[Settings, HttpPool], AtAuthority]] = {
    MANAGED_IDENTITY: _managed_identity,
    CERTIFICATE: _certificate,
    SIGN_IN_VAULT: _certificate,
    FEDERATED: _federated,
}


def credential_for(settings: Settings, pool: HttpPool) -> Credential:
    """The credential that BotCredential names, for the channel's tokens."""
    return _CREDENTIALS[settings.credential](settings, pool)(settings.authority)


class BotTokens(NamedTuple):
    """The bot's tokens.

    Attributes:
        channel: those for the channel and for other bots.
        services: those for other services, from the home tenant; the same object as `channel` if
            that has the same credential. None: the settings do not name the home tenant.
    """

    channel: TokenProvider
    services: TokenProvider | None


def bot_tokens(settings: Settings, pool: HttpPool) -> BotTokens:
    """The tokens of the credential that BotCredential names."""
    credential_at = functools.cache(_CREDENTIALS[settings.credential](settings, pool))
    credential = credential_at(settings.authority)
    channel = TokenProvider(credential)
    if not settings.home_authority:
        return BotTokens(channel, None)
    at_home = credential_at(settings.home_authority)
    return BotTokens(channel, channel if at_home is credential else TokenProvider(at_home))


def storage_tokens(source: StorageSource, pool: HttpPool) -> TokenProvider | None:
    """The tokens for the storage account; None with a connection string, which needs none.

    Args:
        source: the storage account.
        pool: the HTTP client.
    """
    if source.connection_string:
        return None
    from auth.outbound.azure_sdk import PoolTransport
    from auth.outbound.managed_identity import ManagedIdentityCredential

    setting, transport = f"{STORAGE}__clientId", PoolTransport(pool)
    return TokenProvider(ManagedIdentityCredential(source.client_id, setting, transport))
