"""Key Vault: where the bot's certificate is kept."""

from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets.aio import SecretClient

from auth.certificate import Certificate, certificate_from_secret
from auth.errors import CertificateError, SignInError
from auth.managed_identity import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    RETRIES,
    is_refusal,
    managed_identity,
)
from auth.service_url import LOOPBACK_HOSTS
from auth.settings import CertificateSource


async def certificate_from_vault(source: CertificateSource) -> Certificate:
    """The current version of the vault's certificate, with its private key.

    It is read as the secret that Key Vault keeps under the certificate's name, for the certificate
    itself has only the public half.

    Raises:
        CertificateError: there is no such certificate, or it may not be read.
        SignInError: the vault, or the identity that reads it, does not answer.
    """
    try:
        async with (
            managed_identity(source.identity_client_id) as identity,
            SecretClient(
                source.vault_url,
                identity,
                connection_timeout=CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
                retry_total=RETRIES,
                # The SDK compares the vault's host with vault.azure.net. Settings allow loopback
                # in development only, where the host cannot be a subdomain of that.
                verify_challenge_resource=urlsplit(source.vault_url).hostname not in LOOPBACK_HOSTS,
            ) as client,
        ):
            secret = await client.get_secret(source.name)
    except AzureError as error:
        raise _translated(error, source) from error
    # The SDK's, for a host that is no vault's and for an answer that is not JSON.
    except ValueError as error:
        raise SignInError(f"CertificateVaultUrl: {source.vault_url} is not a Key Vault") from error
    return certificate_from_secret(secret.value or "", secret.properties.content_type or "")


def _translated(error: AzureError, source: CertificateSource) -> SignInError:
    place = f"{source.name} in {source.vault_url}"
    if isinstance(error, ResourceNotFoundError):
        return CertificateError(f"CertificateName: there is no certificate {place}")
    if isinstance(error, HttpResponseError) and error.status_code == 403:
        return CertificateError(
            f"the identity may not read {place}: give it the role Key Vault Secrets User on the"
            " vault (a new role takes minutes to work), and check that the version is enabled"
        )
    if isinstance(error, ClientAuthenticationError) and is_refusal(error):
        who = source.identity_client_id or "the system-assigned identity"
        return SignInError(
            f"{who} cannot sign in to read {place}: assign the identity to this app, and set"
            " AZURE_CLIENT_ID to its client id (unset: system-assigned)"
        )
    return SignInError(f"the vault does not answer for {place}")
