"""The bot's certificate in Azure Key Vault, with a private key that is exported or stays there.

ExportedCertificate and VaultSigning use different SDKs. Each imports its own in its constructor:
importing both would slow down a cold start, and importing later would block the event loop.
"""

import asyncio
import datetime
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, HttpResponseError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate, rsa_key
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden
from auth.inbound.caller import LOOPBACK_HOSTS
from auth.outbound.azure_sdk import AzureSdkCredential, PoolTransport
from auth.outbound.endpoints import MALFORMED_RESPONSE_ERRORS, retry_after_of, status_of

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey
    from azure.keyvault.keys.crypto.aio import CryptographyClient

SECRETS_ROLE = "Key Vault Secrets User"
READER_ROLE = "Key Vault Reader (certificates/read)"
SIGNER_ROLE = "Key Vault Crypto User (keys/sign)"

CALL_TIMEOUT_SECONDS = 8.0
"""The time limit of one call, which may take several requests: to the vault and for a token."""


class CertificateVault:
    """One certificate in one vault.

    Args:
        url: https URL, such as `https://NAME.vault.azure.net`.
        name: name of the certificate, and thus of its secret and its key.
        credential: signs in to the vault.
        transport: sends the requests.
        call_timeout: seconds that one call may take as a whole.

    Attributes:
        url, name, call_timeout: as in the arguments.
        verifies_host: whether the SDK sends tokens for Key Vault only to hosts in Key Vault's
            domain. Off on loopback, which the settings allow in development only.
    """

    def __init__(
        self,
        url: str,
        name: str,
        credential: AzureSdkCredential,
        transport: PoolTransport,
        call_timeout: float = CALL_TIMEOUT_SECONDS,
    ) -> None:
        self.url = url
        self.name = name
        self.call_timeout = call_timeout
        self.verifies_host = urlsplit(url).hostname not in LOOPBACK_HOSTS
        self._credential = credential
        self._transport = transport

    @asynccontextmanager
    async def client[Client: AbstractAsyncContextManager[Any]](
        self, client_class: Callable[..., Client], target: object, role: str
    ) -> AsyncIterator[Client]:
        """A client of the SDK whose errors are translated.

        Args:
            client_class: the SDK's class.
            target: the first argument of the class: the vault's URL, or a key.
            role: the role that allows the calls, for the text of a refusal.

        Raises:
            CertificateError: there is no such certificate.
            VaultForbidden: the identity lacks the role.
            EndpointDown: the vault does not respond, or the response does not come from a vault.
            Throttled: the vault asks to wait.
            SignInError: the identity cannot sign in.
        """
        try:
            async with (
                asyncio.timeout(self.call_timeout),
                client_class(
                    target,
                    credential=self._credential,
                    transport=self._transport,
                    retry_total=0,
                    permit_redirects=False,
                    verify_challenge_resource=self.verifies_host,
                ) as client,
            ):
                yield client
        except AzureError as error:
            raise self._translated(error, role) from error
        except TimeoutError as error:
            raise self._silent() from error
        # The SDK also raises ValueError if the host is not a vault's.
        except MALFORMED_RESPONSE_ERRORS as error:
            raise EndpointDown(
                f"CertificateVaultUrl: {self.url} does not answer as a Key Vault does"
            ) from error

    def _translated(self, error: AzureError, role: str) -> SignInError:
        place = f"{self.name} in {self.url}"
        match status_of(error):
            case HTTPStatus.NOT_FOUND:
                return CertificateError(
                    f"CertificateName: there is no certificate {place} that is ready to use"
                )
            case HTTPStatus.FORBIDDEN:
                return VaultForbidden(
                    f"the identity may not use {place}: give it the role {role} on the vault (a new"
                    " role takes minutes to work), let this app through the vault's firewall, and"
                    " check that the version is enabled"
                )
            case HTTPStatus.UNAUTHORIZED:
                return SignInError(
                    f"{self.url} does not accept this identity's token: CertificateVaultUrl must be"
                    " a vault of the identity's own tenant"
                )
            case HTTPStatus.TOO_MANY_REQUESTS:
                return Throttled(
                    f"the vault asks to wait (429 for {place}): something calls the vault of"
                    " CertificateVaultUrl too often",
                    retry_after_of(error),
                )
        return self._silent()

    def _silent(self) -> EndpointDown:
        return EndpointDown(
            f"the vault does not answer for {self.name} in {self.url}: check CertificateVaultUrl,"
            " and that this app's network reaches it"
        )


class ExportedCertificate:
    """The certificate with its private key, read from the secret of the same name.

    (The vault's certificate object contains only the public part.)

    Args:
        vault: the vault that stores the certificate.
    """

    def __init__(self, vault: CertificateVault) -> None:
        from azure.keyvault.secrets import ContentType
        from azure.keyvault.secrets.aio import SecretClient

        from auth.certificates.private_key import certificate_from_text

        self._name = vault.name
        self._client = partial(vault.client, SecretClient, vault.url, SECRETS_ROLE)
        self._content_type = ContentType.PEM
        self._parse = certificate_from_text

    async def versions(self) -> Sequence[str]:
        """The enabled ones, newest first.

        Raises:
            SignInError: they cannot be listed.
        """
        async with self._client() as client:
            listed = client.list_properties_of_secret_versions(self._name)
            return newest_first([found async for found in listed])

    async def load(self, version: str | None) -> Certificate:
        """One version with its private key; None: the current one.

        Raises:
            SignInError: it cannot be read, or has no private key.
        """
        async with self._client() as client:
            # PEM is requested because parsing a PFX verifies the key, which would block the event
            # loop. A vault that cannot convert to PEM returns the PFX, or answers 400.
            try:
                secret = await client.get_secret(
                    self._name, version, out_content_type=self._content_type
                )
            except HttpResponseError as error:
                if error.status_code != HTTPStatus.BAD_REQUEST:
                    raise
                secret = await client.get_secret(self._name, version)
            return self._parse(secret.value or "")


class VaultSigning:
    """The certificate's public part, with a private key that never leaves the vault.

    The identity needs permission to read certificates and to sign with keys, but not to read
    secrets or keys.

    Args:
        vault: the vault that stores the certificate.
    """

    def __init__(self, vault: CertificateVault) -> None:
        from azure.keyvault.certificates.aio import CertificateClient
        from azure.keyvault.keys.crypto.aio import CryptographyClient

        self._name = vault.name
        self._reader = partial(vault.client, CertificateClient, vault.url, READER_ROLE)
        self._signer = partial(vault.client, CryptographyClient, role=SIGNER_ROLE)

    async def versions(self) -> Sequence[str]:
        """The enabled ones, newest first.

        Raises:
            SignInError: they cannot be listed.
        """
        async with self._reader() as client:
            listed = client.list_properties_of_certificate_versions(self._name)
            return newest_first([found async for found in listed])

    async def load(self, version: str | None) -> Certificate:
        """One version with a key that signs in the vault; None: the current one.

        Raises:
            SignInError: it cannot be read.
        """
        async with self._reader() as client:
            found = await client.get_certificate_version(self._name, version or "")
            if not found.cer or not found.key_id:
                raise CertificateError(f"CertificateName: {self._name} is not ready to use yet")
            public = x509.load_der_x509_certificate(bytes(found.cer))
        key = _vault_key(found.key_id, rsa_key(public))
        return Certificate(public, VaultKey(partial(self._signer, key)))


class VaultKey:
    """The private key of one version.

    Args:
        client: opens an SDK client for this key.
    """

    def __init__(
        self, client: "Callable[[], AbstractAsyncContextManager[CryptographyClient]]"
    ) -> None:
        self._client = client

    async def sign(self, data: bytes) -> bytes:
        """The PS256 signature of `data`, which takes one call to the vault.

        Raises:
            SignInError: the vault refuses or does not respond.
        """
        from azure.keyvault.keys.crypto import SignatureAlgorithm

        digest = hashlib.sha256(data).digest()
        async with self._client() as client:
            signature = (await client.sign(SignatureAlgorithm.ps256, digest)).signature
            # The SDK does not check what the response contains.
            if not isinstance(signature, bytes) or not signature:
                raise ValueError("the response has no signature")
            return signature


def _vault_key(key_id: str, public_key: rsa.RSAPublicKey) -> "KeyVaultKey":
    """The key as the SDK would read it from the vault, which would need permission to read keys."""
    from azure.keyvault.keys import KeyVaultKey

    numbers = public_key.public_numbers()
    modulus = numbers.n.to_bytes(public_key.key_size // 8)
    exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)
    return KeyVaultKey(key_id, jwk={"kty": "RSA", "n": modulus, "e": exponent})


class ListedVersion(Protocol):
    """One version in the vault's list."""

    @property
    def version(self) -> str | None: ...
    @property
    def enabled(self) -> bool | None: ...
    @property
    def created_on(self) -> datetime.datetime | None: ...


def newest_first(listed: Iterable[ListedVersion]) -> list[str]:
    """The enabled versions in a vault's list, newest first; the vault does not sort by time."""
    epoch = datetime.datetime.fromtimestamp(0, datetime.UTC)
    enabled = [
        (found.created_on or epoch, found.version)
        for found in listed
        if found.enabled and found.version
    ]
    enabled.sort(key=lambda found: found[0], reverse=True)
    return [version for _, version in enabled]
