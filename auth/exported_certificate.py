"""ExportedCertificate: the vault's certificate, loaded with its private key."""

from collections.abc import Sequence
from http import HTTPStatus

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import ContentType
from azure.keyvault.secrets.aio import SecretClient

from auth.certificate import Certificate, certificate_from_text
from auth.certificate_store import CURRENT, newest_first
from auth.errors import CertificateError, VaultForbidden
from auth.key_vault import KeyVault

ROLE = "Key Vault Secrets User"


class ExportedCertificate:
    """Reads the secret that Key Vault keeps under a certificate's name.

    The certificate itself has only the public half.

    Args:
        vault: where it is.
        name: of the certificate.
    """

    def __init__(self, vault: KeyVault, name: str) -> None:
        self._vault = vault
        self._name = name

    async def versions(self) -> Sequence[str]:
        """The enabled ones, newest first.

        Raises:
            SignInError: they cannot be had.
        """
        try:
            async with (
                self._vault.access(self._name, ROLE) as options,
                SecretClient(self._vault.url, **options) as client,
            ):
                listed = [
                    found async for found in client.list_properties_of_secret_versions(self._name)
                ]
        except (VaultForbidden, CertificateError):
            # An access policy may allow to read, but not to list; reading tells what else is wrong.
            return [CURRENT]
        return newest_first(listed) or [CURRENT]

    async def load(self, version: str) -> Certificate:
        """One version, with its private key.

        Raises:
            SignInError: it cannot be had, or has no private key.
        """
        async with (
            self._vault.access(self._name, ROLE) as options,
            SecretClient(self._vault.url, **options) as client,
        ):
            # PFX cannot be read without a check of the key that stalls the event loop. A vault that
            # does not convert answers with what it has, or refuses.
            try:
                secret = await client.get_secret(
                    self._name, version or None, out_content_type=ContentType.PEM
                )
            except HttpResponseError as error:
                if error.status_code != HTTPStatus.BAD_REQUEST:
                    raise
                secret = await client.get_secret(self._name, version or None)
        return certificate_from_text(secret.value or "")
