"""Certificates of the local cloud: its authority and servers, the bot's own, and thumbprints."""

import base64
import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot_workbench.emulator.loopback import LOOPBACK, SHORT_LOOPBACK

Days = datetime.timedelta


def private_key_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """An unencrypted PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def self_signed(
    name: str,
    key: rsa.RSAPrivateKey,
    *,
    starts_in_days: float = -1,
    ends_in_days: float = 365,
) -> x509.Certificate:
    """A bot's certificate as Key Vault creates it with issuer `Self`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + Days(starts_in_days))
        .not_valid_after(now + Days(ends_in_days))
        .sign(key, hashes.SHA256())
    )


def base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def x5t(certificate: x509.Certificate) -> str:
    """SHA-1 of the certificate's DER in base64url (RFC 7515, section 4.1.7)."""
    # `x5t` is SHA-1 by definition; it is no security decision here.
    return base64url(certificate.fingerprint(hashes.SHA1()))  # noqa: S303


def x5t_s256(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER in base64url: `x5t#S256` (RFC 7515, section 4.1.8)."""
    return base64url(certificate.fingerprint(hashes.SHA256()))


class CertificateAuthority:
    """Signs the local cloud's server certificates; only the app's process trusts it.

    Args:
        folder: where the authority's public certificate and the servers' key files are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local cloud authority")])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            self._builder(name, name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / "authority.pem"
        """PEM file for SSL_CERT_FILE and REQUESTS_CA_BUNDLE of the app's process."""
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, public_names: Sequence[str] = ()) -> ssl.SSLContext:
        """The server side of TLS for `localhost`, 127.0.0.1 and SHORT_LOOPBACK.

        Args:
            public_names: more host names for the certificate, such as `graph.microsoft.com` or
                `*.vault.azure.net`.
        """
        return self._context(*self._server_certificate(public_names))

    def server_files(self, public_names: Sequence[str] = ()) -> tuple[Path, Path]:
        """PEM files of a certificate for the same names, and of its key: for another process.

        They stay in the folder.

        Args:
            public_names: more host names for the certificate.
        """
        certificate, key = self._server_certificate(public_names)
        name = f"server-{certificate.serial_number:x}"
        public, private = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private.touch(mode=0o600)
        private.write_bytes(private_key_pem(key))
        return public, private

    def _server_certificate(
        self, public_names: Sequence[str] = ()
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = [
            x509.DNSName("localhost"),
            x509.DNSName(SHORT_LOOPBACK),
            x509.IPAddress(ipaddress.ip_address(LOOPBACK)),
            *map(x509.DNSName, public_names),
        ]
        certificate = (
            self._builder(subject, self._certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate, key

    def _context(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> ssl.SSLContext:
        # ssl.SSLContext reads certificates from files only.
        chain = self._folder / f"server-{certificate.serial_number:x}.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(
            private_key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        chain.unlink()
        return context

    @staticmethod
    def _builder(
        subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - Days(1))
            .not_valid_after(now + Days(30))
        )
