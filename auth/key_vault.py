"""Key Vault: how its SDK's clients reach it, and what their errors mean here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken as AzureToken
from azure.core.exceptions import AzureError, ResourceNotFoundError

from auth.azure_error import status_of, wait_asked_by
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden
from auth.managed_identity import CONNECT_TIMEOUT, READ_TIMEOUT
from auth.service_url import LOOPBACK_HOSTS
from auth.tokens import Tokens


class VaultIdentity:
    """The identity that reaches the vault, in the shape that Azure's SDKs ask for.

    Its tokens come from our own cache: azure-identity's would ask again in every outage, and one
    credential for all clients spares requests.

    Args:
        tokens: of a managed identity.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def get_token(self, *scopes: str, **_: Any) -> AzureToken:  # the SDK's protocol
        """A token for the scope (resource and `/.default`) that the vault names.

        Raises:
            SignInError: none can be had.
        """
        token = await self._tokens.get(scopes[0].removesuffix("/.default"))
        return AzureToken(token.value, int(token.expires_on))

    async def close(self) -> None:
        """Nothing: the tokens live on."""

    async def __aenter__(self) -> "VaultIdentity":
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nothing: the tokens live on."""


class KeyVault:
    """One vault.

    Args:
        url: https, as `https://NAME.vault.azure.net`.
        identity: reaches it.
    """

    def __init__(self, url: str, identity: VaultIdentity) -> None:
        self.url = url
        self._identity = identity

    @asynccontextmanager
    async def access(self, name: str, role: str) -> AsyncIterator[dict[str, Any]]:
        """The arguments that each of the SDK's clients takes; its errors are translated.

        Args:
            name: of the certificate.
            role: gives the right to what is done, for the text of a refusal.

        Raises:
            CertificateError: there is no such certificate.
            VaultForbidden: the identity lacks the role.
            EndpointDown, Throttled, SignInError: the vault is silent, busy or none; or the
                identity cannot sign in.
        """
        try:
            yield {
                "credential": self._identity,
                "connection_timeout": CONNECT_TIMEOUT,
                "read_timeout": READ_TIMEOUT,
                "retry_total": 0,
                # The SDK compares the vault's host with vault.azure.net. Settings allow loopback
                # in development only, where the host cannot be a subdomain of that.
                "verify_challenge_resource": urlsplit(self.url).hostname not in LOOPBACK_HOSTS,
            }
        except AzureError as error:
            raise self._translated(error, name, role) from error
        # The SDK's, for a host that is no vault's and for an answer that is not JSON.
        except ValueError as error:
            raise EndpointDown(
                f"CertificateVaultUrl: {self.url} does not answer as a Key Vault does"
            ) from error

    def _translated(self, error: AzureError, name: str, role: str) -> SignInError:
        place = f"{name} in {self.url}"
        status = status_of(error)
        if isinstance(error, ResourceNotFoundError):
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
        return EndpointDown(
            f"the vault does not answer for {place}: check CertificateVaultUrl, and that this app's"
            " network reaches it"
        )
