"""Certificates: an authority that leaves no key behind, and the bot's own."""

import contextlib
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate
from cryptography.x509.oid import NameOID

from bot_workbench.emulator.certificates import CertificateAuthority, private_key_pem, self_signed


def test_the_authority_leaves_no_key_behind(tmp_path: Path) -> None:
    """Only the authority's public certificate stays in its folder."""
    authority = CertificateAuthority(tmp_path)
    authority.server_context()
    assert list(tmp_path.iterdir()) == [authority.path]
    text = authority.path.read_bytes()
    assert b"PRIVATE" not in text
    assert load_pem_x509_certificate(text).subject.rfc4514_string() == "CN=Local cloud authority"


def test_a_bot_certificate_is_its_own_issuer(key: rsa.RSAPrivateKey) -> None:
    """A bot's certificate is self-signed, with the given name and validity."""
    certificate = self_signed("bot", key, starts_in_days=-2, ends_in_days=3)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "bot"
    certificate.verify_directly_issued_by(certificate)
    assert certificate.public_key() == key.public_key()
    validity = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert validity == datetime.timedelta(days=5)


def test_a_private_key_is_written_without_a_password(key: rsa.RSAPrivateKey) -> None:
    """The PEM is PKCS#8 and loads without a password."""
    pem = private_key_pem(key)
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    loaded = serialization.load_pem_private_key(pem, None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.private_numbers() == key.private_numbers()


def test_a_server_certificate_bears_public_names(tmp_path: Path) -> None:
    """A client that trusts the authority accepts a server under the names it was given only."""
    authority = CertificateAuthority(tmp_path)
    server = authority.server_context(["graph.microsoft.com", "*.vault.azure.net"])
    client = ssl.create_default_context(cafile=str(authority.path))
    for name in ("localhost", "graph.microsoft.com", "contoso.vault.azure.net"):
        handshake(client, server, name)
    for name in ("vault.azure.net", "a.b.vault.azure.net", "login.microsoftonline.com"):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(client, server, name)


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """A TLS handshake in memory, of a client that expects a server of that name."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for side in sides * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
