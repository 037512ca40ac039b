"""Import: certificates that come with their private key, as PFX or PEM."""

import base64
import binascii

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bot_workbench.emulator.key_vault.errors import bad_parameter
from bot_workbench.emulator.key_vault.policy import PEM

KeyPair = tuple[rsa.RSAPrivateKey, x509.Certificate]


def key_pair(value: str, password: str, content_type: str) -> KeyPair:
    """The private key and the certificate in an imported value.

    Args:
        value: PEM text, as it is or in base64, as Azure's clients send it; or a PFX in base64.
        password: of the PFX; may be empty.
        content_type: what the policy says that the value is.

    Raises:
        VaultError: 400, the value is not readable, or has no RSA key.
    """
    key, certificate = _pem(value) if content_type == PEM else _pfx(value, password)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise bad_parameter("This stand-in of Key Vault has RSA keys only")
    if key.public_key() != certificate.public_key():
        raise bad_parameter("The private key and the X.509 certificate do not belong together")
    return key, certificate


def _pem(value: str) -> tuple[object, x509.Certificate]:
    if "-----BEGIN" not in value:
        value = _decoded(value).decode("latin-1")
    if "PRIVATE KEY-----" not in value:
        raise bad_parameter(
            "Private key is not specified in the specified X.509 PEM certificate content. Please"
            " specify private key in the X.509 PEM certificate content."
        )
    # Key Vault takes keys in PKCS#8 only, not in PKCS#1 ("BEGIN RSA PRIVATE KEY").
    if "-----BEGIN PRIVATE KEY-----" in value:
        try:
            raw = value.encode()
            key = serialization.load_pem_private_key(raw, None)
            return key, x509.load_pem_x509_certificate(raw)
        except (ValueError, TypeError):
            pass
    raise bad_parameter(
        "The specified PEM X.509 certificate content is in an unexpected format. Please check if"
        " certificate is in valid PEM format."
    )


def _pfx(value: str, password: str) -> tuple[object, x509.Certificate]:
    for each in [password.encode()] if password else [None, b""]:
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(_decoded(value), each)
        except ValueError:
            continue
        if key is not None and certificate is not None:
            return key, certificate
    raise bad_parameter(
        "The specified PKCS#12 X.509 certificate content can not be read. Please check if"
        " certificate is in valid PKCS#12 format."
    )


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except binascii.Error:
        return b""
