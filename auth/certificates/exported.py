"""ExportedCertificate: the vault's certificate, loaded with its private key."""

from collections.abc import Sequence
from http import HTTPStatus

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import ContentType
from azure.keyvault.secrets.aio import SecretClient

from auth.certificates.certificate import Certificate
from auth.certificates.key_vault import CertificateVault, newest_first
from auth.certificates.private_key import certificate_from_text

ROLE = "Key Vault Secrets User"


class ExportedCertificate:
    """Reads the secret that Key Vault keeps under the certificate's name.

    The certificate itself has only the public half.

    Args:
        vault: where it is.
    """

    def __init__(self, vault: CertificateVault) -> None:
        self._vault = vault

    async def versions(self) -> Sequence[str]:
        """The enabled ones, newest first.

        Raises:
            SignInError: they cannot be listed.
        """
        async with self._vault.client(SecretClient, self._vault.url, ROLE) as client:
            listed = client.list_properties_of_secret_versions(self._vault.name)
            return newest_first([found async for found in listed])

    async def load(self, version: str | None) -> Certificate:
        """One version with its private key, or the current one.

        Raises:
            SignInError: it cannot be had, or has no private key.
        """
        async with self._vault.client(SecretClient, self._vault.url, ROLE) as client:
            # PFX cannot be read without a check of the key that stalls the event loop. A vault that
            # does not convert answers with what it has, or refuses.
            try:
                secret = await client.get_secret(
                    self._vault.name, version, out_content_type=ContentType.PEM
                )
            except HttpResponseError as error:
                if error.status_code != HTTPStatus.BAD_REQUEST:
                    raise
                secret = await client.get_secret(self._vault.name, version)
            return certificate_from_text(secret.value or "")
