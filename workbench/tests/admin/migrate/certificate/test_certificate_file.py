"""`--file` accepts what the bot accepts in CertificatePath, and refuses what it refuses."""

import base64
import datetime
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from auth.certificates.private_key import certificate_from_bytes
from auth.errors import CertificateError
from bot_workbench.admin.migrate.certificate.certificates import read_certificate_file
from bot_workbench.admin.migrate.thumbprints import of_certificate
from bot_workbench.emulator.certificates import private_key_pem, self_signed

PASSWORD = BestAvailableEncryption(b"password")
UNKNOWN_CURVE = (bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f"))
"""Object identifiers: a curve, and one of the same length that names none."""


def pem(*certificates: x509.Certificate) -> bytes:
    """Certificates as PEM."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A new key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def of_curve() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A certificate, and its key, which is not RSA."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now)
    return key, builder.sign(key, hashes.SHA256())


def files() -> Mapping[str, tuple[bytes, str]]:
    """Files by what is in them: the content, and what the command says of it; empty: accepted."""
    key, other, small = rsa_key(), rsa_key(), rsa_key(1024)
    own, issuer = self_signed("bot", key), self_signed("issuer", other)
    curve_key, of_curve_key = of_curve()
    secret, small_secret = private_key_pem(key), private_key_pem(small)
    curve_secret = private_key_pem(curve_key)
    unknown = base64.encodebytes(
        curve_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()).replace(
            *UNKNOWN_CURVE
        )
    )
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PASSWORD)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    late = self_signed("bot", key, starts_in_days=1)
    ended = self_signed("bot", key, starts_in_days=-9, ends_in_days=-1)
    chain = {
        f"PEM in the order {order}": (b"".join(parts), "")
        for order, parts in enumerate(permutations((secret, pem(own), pem(issuer))))
    }
    serialize = pkcs12.serialize_key_and_certificates
    no_pair, no_pfx = "a PEM file must have", "no PFX file without a password"
    return {
        **chain,
        "PEM with an older form of key": (old + pem(own), ""),
        "PEM with text around": (b"Bag Attributes\n" + secret + b"subject=bot\n" + pem(own), ""),
        "PEM of a later certificate": (secret + pem(late), "not valid before"),
        "PEM of an expired one": (secret + pem(ended), "expired on"),
        "PEM with another key": (secret + pem(issuer), "none of its certificates belongs"),
        "PEM with a key of a curve": (curve_secret + pem(of_curve_key), "type RSA"),
        "PEM with a key of a curve, and another": (curve_secret + pem(own), "type RSA"),
        "PEM with a small key": (
            small_secret + pem(self_signed("bot", small)),
            "1024 bits, and the bot needs 2048",
        ),
        "PEM with a password": (locked + pem(own), no_pair),
        "PEM without a key": (pem(own), no_pair),
        "PEM without a certificate": (secret, no_pair),
        "PEM with a key of an unknown curve": (
            b"-----BEGIN PRIVATE KEY-----\n" + unknown + b"-----END PRIVATE KEY-----\n",
            no_pair,
        ),
        "PEM that was cut off": ((secret + pem(own))[:-80], no_pair),
        "PFX": (serialize(None, key, own, None, NoEncryption()), ""),
        "PFX with a chain": (serialize(b"bot", key, own, [issuer], NoEncryption()), ""),
        "PFX with the chain's certificate as its own": (
            serialize(b"bot", key, None, [issuer, own], NoEncryption()),
            "",
        ),
        "PFX with a password": (serialize(None, key, own, None, PASSWORD), no_pfx),
        "PFX without a key": (serialize(b"bot", None, own, None, NoEncryption()), "type RSA"),
        "PFX of a curve": (
            serialize(None, curve_key, of_curve_key, None, NoEncryption()),
            "type RSA",
        ),
        "PFX with a small key": (
            serialize(None, small, self_signed("bot", small), None, NoEncryption()),
            "1024 bits",
        ),
        "PFX of an expired one": (serialize(None, key, ended, None, NoEncryption()), "expired on"),
        "PFX without a certificate": (
            serialize(None, key, None, None, NoEncryption()),
            "none of its certificates belongs",
        ),
        "DER": (own.public_bytes(Encoding.DER), no_pfx),
        "text": (b"no certificate", no_pfx),
        "nothing": (b"", no_pfx),
    }


FILES = files()


def for_bot(content: bytes, now: datetime.datetime) -> str:
    """The thumbprint of the certificate that the bot would use; empty: it refuses the file."""
    try:
        certificate = certificate_from_bytes(content)
        certificate.check((), now)
    except CertificateError:
        return ""
    return certificate.thumbprint


@pytest.mark.parametrize("name", FILES)
def test_the_bot_and_the_command_agree(name: str, tmp_path: Path) -> None:
    """Both use the certificate that belongs to the key, or the command says why neither can."""
    content, refusal = FILES[name]
    file, now = tmp_path / "file", datetime.datetime.now(datetime.UTC)
    file.write_bytes(content)
    if not refusal:
        found = read_certificate_file(file, now)
        assert found.thumbprint == for_bot(content, now) != ""
        assert found.key.key_size == 2048
        return
    with pytest.raises(typer.BadParameter) as refused:
        read_certificate_file(file, now)
    assert refused.value.message.startswith(f"--file: {file}: ")
    assert refusal in refused.value.message
    assert for_bot(content, now) == ""


def test_the_vault_gets_the_pair(tmp_path: Path) -> None:
    """Not the chain, and under no password."""
    file = tmp_path / "file"
    file.write_bytes(FILES["PEM in the order 5"][0])
    found = read_certificate_file(file, datetime.datetime.now(datetime.UTC))
    bundle = pkcs12.load_pkcs12(base64.b64decode(found.pfx()), None)
    assert bundle.cert is not None
    assert of_certificate(bundle.cert.certificate).sha1 == found.thumbprint
    assert bundle.key is not None
    assert bundle.key.public_key() == bundle.cert.certificate.public_key()
    assert bundle.additional_certs == []
