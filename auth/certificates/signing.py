"""VaultSigning: the vault's certificate, whose private key never leaves the vault."""

import hashlib
from collections.abc import Sequence

from azure.keyvault.certificates.aio import CertificateClient
from azure.keyvault.keys import KeyVaultKey
from azure.keyvault.keys.crypto import SignatureAlgorithm
from azure.keyvault.keys.crypto.aio import CryptographyClient
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate, rsa_key
from auth.certificates.key_vault import CertificateVault, newest_first
from auth.errors import CertificateError

READER_ROLE = "Key Vault Reader (certificates/read)"
SIGNER_ROLE = "Key Vault Crypto User (keys/sign)"


class VaultSigning:
    """Reads the certificate's public half, and lets the vault sign for it.

    Needs the right to read certificates and to sign with keys; neither secrets nor keys are read.

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
        async with self._vault.client(CertificateClient, self._vault.url, READER_ROLE) as client:
            listed = client.list_properties_of_certificate_versions(self._vault.name)
            return newest_first([found async for found in listed])

    async def load(self, version: str | None) -> Certificate:
        """One version with a key that signs in the vault, or the current one.

        Raises:
            SignInError: it cannot be had.
        """
        async with self._vault.client(CertificateClient, self._vault.url, READER_ROLE) as client:
            found = await client.get_certificate_version(self._vault.name, version or "")
            if not found.cer or not found.key_id:
                raise CertificateError(
                    f"CertificateName: {self._vault.name} is not ready to use yet"
                )
            public = x509.load_der_x509_certificate(bytes(found.cer))
        key = _known_key(found.key_id, rsa_key(public))
        return Certificate(public, VaultKey(self._vault, key))


class VaultKey:
    """The private key of one version.

    Args:
        vault: where it is.
        key: as the SDK knows it.
    """

    def __init__(self, vault: CertificateVault, key: KeyVaultKey) -> None:
        self._vault = vault
        self._key = key

    async def sign(self, data: bytes) -> bytes:
        """The PS256 signature of `data`: one call of the vault.

        Raises:
            SignInError: the vault refuses, or does not answer.
        """
        digest = hashlib.sha256(data).digest()
        async with self._vault.client(CryptographyClient, self._key, SIGNER_ROLE) as client:
            signature = (await client.sign(SignatureAlgorithm.ps256, digest)).signature
            # The SDK takes any JSON for an answer.
            if not isinstance(signature, bytes) or not signature:
                raise ValueError("the answer has no signature")
            return signature


def _known_key(key_id: str, public_key: rsa.RSAPublicKey) -> KeyVaultKey:
    """The key (URL with version) as the SDK would read it: so it needs no right to read keys."""
    numbers = public_key.public_numbers()
    modulus = numbers.n.to_bytes(public_key.key_size // 8)
    exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)
    return KeyVaultKey(key_id, jwk={"kty": "RSA", "n": modulus, "e": exponent})
