"""KeyVault: how its SDK's clients reach it, and what their errors and lists mean here."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp  # noqa: F401  # else the SDK imports it on the event loop, at its first request
from azure.core.exceptions import AzureError

from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden
from auth.inbound.service_url import LOOPBACK_HOSTS
from auth.outbound.endpoints import (
    CONNECT_TIMEOUT,
    ODD_ANSWER,
    READ_TIMEOUT,
    status_of,
    wait_asked_by,
)
from auth.outbound.sdk_credential import AzureSdkCredential

CALL_TIMEOUT = 8.0
"""Seconds that one call may take in all: the SDK bounds each read of an answer, not the answer."""


class CertificateVault:
    """One certificate's vault.

    Args:
        url: https, as `https://NAME.vault.azure.net`.
        name: of the certificate, its secret and its key.
        identity: reaches it.
    """

    def __init__(self, url: str, name: str, identity: AzureSdkCredential) -> None:
        self.url = url
        self.name = name
        self._identity = identity

    @asynccontextmanager
    async def client[Client: AbstractAsyncContextManager[Any]](
        self, kind: Callable[..., Client], target: object, role: str
    ) -> AsyncIterator[Client]:
        """A client of the SDK, whose errors are translated.

        Args:
            kind: its class.
            target: the vault's URL, or the key that the class is for.
            role: gives the right to what is done, for the text of a refusal.

        Raises:
            CertificateError: there is no such certificate.
            VaultForbidden: the identity lacks the role.
            EndpointDown, Throttled, SignInError: the vault is silent, busy or none; or the
                identity cannot sign in.
        """
        try:
            async with asyncio.timeout(CALL_TIMEOUT), self._made(kind, target) as client:
                yield client
        except AzureError as error:
            raise self._translated(error, role) from error
        except TimeoutError as error:
            raise self._silent() from error
        # ValueError is the SDK's for a host that is no vault's, too.
        except ODD_ANSWER as error:
            raise EndpointDown(
                f"CertificateVaultUrl: {self.url} does not answer as a Key Vault does"
            ) from error

    def _made[Client](self, kind: Callable[..., Client], target: object) -> Client:
        return kind(
            target,
            credential=self._identity,
            connection_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retry_total=0,
            # The SDK compares the vault's host with vault.azure.net. Settings allow loopback in
            # development only, where the host cannot be a subdomain of that.
            verify_challenge_resource=urlsplit(self.url).hostname not in LOOPBACK_HOSTS,
        )

    def _translated(self, error: AzureError, role: str) -> SignInError:
        place = f"{self.name} in {self.url}"
        status = status_of(error)
        if status == HTTPStatus.NOT_FOUND:
            return CertificateError(
                f"CertificateName: there is no certificate {place} that is ready to use"
            )
        if status == HTTPStatus.FORBIDDEN:
            return VaultForbidden(
                f"the identity may not use {place}: give it the role {role} on the vault (a new"
                " role takes minutes to work), let this app through the vault's firewall, and check"
                " that the version is enabled"
            )
        if status == HTTPStatus.UNAUTHORIZED:
            return SignInError(
                f"{self.url} does not take this identity's token: CertificateVaultUrl must be a"
                " vault of the identity's own tenant"
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(
                f"the vault asks to wait (429 for {place}): something calls the vault of"
                " CertificateVaultUrl very often",
                wait_asked_by(error),
            )
        return self._silent()

    def _silent(self) -> EndpointDown:
        return EndpointDown(
            f"the vault does not answer for {self.name} in {self.url}: check CertificateVaultUrl,"
            " and that this app's network reaches it"
        )


class Listed(Protocol):
    """What the vault's lists tell of one version."""

    @property
    def version(self) -> str | None: ...
    @property
    def enabled(self) -> bool | None: ...
    @property
    def created_on(self) -> datetime.datetime | None: ...


def newest_first(listed: Iterable[Listed]) -> list[str]:
    """The enabled versions of a vault's list, which comes in no order of time."""
    beginning = datetime.datetime.fromtimestamp(0, datetime.UTC)
    enabled = [
        (found.created_on or beginning, found.version)
        for found in listed
        if found.enabled and found.version
    ]
    enabled.sort(key=lambda found: found[0], reverse=True)
    return [version for _, version in enabled]
