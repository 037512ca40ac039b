"""How the bot signs in: a row for each kind of credential, and the tokens it has got."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from auth.access_token import AccessToken, TokenCache
from auth.certificate import Certificate, certificate_from_file
from auth.client_certificate import ClientCertificate
from auth.key_vault import certificate_from_vault
from auth.managed_identity import ManagedIdentity
from auth.settings import CERTIFICATE, MANAGED_IDENTITY, CertificateSource, Settings


class Credential(Protocol):
    """Something that can sign the bot in."""

    async def request_token(self, audience: str) -> AccessToken:
        """Ask for a new token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: with a text that names the setting or the role to fix.
        """
        ...


class BotTokens:
    """The bot's tokens for outbound calls, one cache for each audience.

    Args:
        credential: signs in.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._caches: dict[str, TokenCache] = {}

    async def get(self, audience: str) -> AccessToken:
        """A valid token for `audience` (URL or GUID, without `/.default`).

        Raises:
            SignInError: none can be had.
        """
        cache = self._caches.get(audience)
        if cache is None:
            cache = TokenCache(partial(self._credential.request_token, audience))
            self._caches[audience] = cache
        return await cache.get()


def _managed_identity(settings: Settings) -> Credential:
    return ManagedIdentity(settings.app_id)


def _certificate(settings: Settings) -> Credential:
    source = settings.certificate
    if source is None:
        raise TypeError("settings with the credential Certificate always say where it is")
    return ClientCertificate(
        settings.app_id,
        settings.authority,
        partial(_load, source),
        source.thumbprints,
        send_x5c=source.send_x5c,
    )


async def _load(source: CertificateSource) -> Certificate:
    if source.path:
        # Reading a file blocks.
        return await asyncio.to_thread(certificate_from_file, Path(source.path))
    return await certificate_from_vault(source)


_CREDENTIALS: dict[str, Callable[[Settings], Credential]] = {
    MANAGED_IDENTITY: _managed_identity,
    CERTIFICATE: _certificate,
}


def credential_for(settings: Settings) -> Credential:
    """The credential that BotCredential names."""
    return _CREDENTIALS[settings.credential](settings)
