"""Certificates: the bot's in a vault, the policy by which Key Vault makes it, and one in a file."""

import base64
import datetime
import json
from dataclasses import dataclass
from pathlib import Path

import typer
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.thumbprints import of_certificate

CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"
"""The extended key usage (RFC 5280, 4.2.1.12)."""

RENEW_DAYS_BEFORE_EXPIRY = 60
VALID_MONTHS = 12
KEY_BITS = 2048
"""The least that the bot accepts (RFC 7518, 3.3 and 3.5)."""

MAX_DISPLAY_NAME = 90
"""Characters of a key credential's displayName (Graph refuses more)."""

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""Graph's times, in UTC."""


@dataclass(frozen=True)
class PublicCertificate:
    """One version of a certificate in a vault.

    Attributes:
        name: of the certificate in the vault.
        public: the certificate.
    """

    name: str
    public: x509.Certificate

    @classmethod
    def from_bundle(cls, bundle: JsonObject) -> "PublicCertificate":
        """The certificate in Key Vault's certificate bundle (REST reference, GetCertificate).

        Raises:
            ValueError: `cer` is not a certificate.
        """
        name = str(bundle["id"]).rstrip("/").rsplit("/", 2)[-2]
        return cls(name, x509.load_der_x509_certificate(base64.b64decode(bundle["cer"])))

    def __str__(self) -> str:
        return f"{self.thumbprint} (valid until {self.ends:%Y-%m-%d})"

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the DER form in upper-case hex, as the portal shows it."""
        return of_certificate(self.public).sha1

    @property
    def der(self) -> str:
        """The DER form in base64, as Graph's `key`."""
        return base64.b64encode(self.public.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def starts(self) -> datetime.datetime:
        """When it starts to be valid (UTC)."""
        return self.public.not_valid_before_utc

    @property
    def ends(self) -> datetime.datetime:
        """When it expires (UTC)."""
        return self.public.not_valid_after_utc

    def key_credential(self) -> JsonObject:
        """The entry for the app registration's `keyCredentials`. Graph chooses the key id."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": display_name(self.name, self.thumbprint),
            "startDateTime": self.starts.strftime(TIME_FORMAT),
            "endDateTime": self.ends.strftime(TIME_FORMAT),
            "key": self.der,
        }


def display_name(name: str, thumbprint: str) -> str:
    """A certificate's name and its thumbprint (or a shell variable), in MAX_DISPLAY_NAME."""
    return f"{name[: MAX_DISPLAY_NAME - 41]} {thumbprint}"


@dataclass(frozen=True)
class CertificatePolicy:
    """The policy of the bot's certificate: self-signed, for signatures only, renewed by the vault.

    Attributes:
        exportable: whether the private key can be read.
    """

    exportable: bool

    def request(self) -> JsonObject:
        """As Key Vault's REST API has it (CertificatePolicy, 7.4)."""
        return {
            "key_props": {
                "exportable": self.exportable,
                "kty": "RSA",
                "key_size": KEY_BITS,
                "reuse_key": False,
            },
            "secret_props": {"contentType": "application/x-pkcs12"},
            "x509_props": {
                "subject": "CN=bot",
                "key_usage": ["digitalSignature"],
                "ekus": [CLIENT_AUTHENTICATION],
                "validity_months": VALID_MONTHS,
            },
            "lifetime_actions": [
                {
                    "trigger": {"days_before_expiry": RENEW_DAYS_BEFORE_EXPIRY},
                    "action": {"action_type": "AutoRenew"},
                }
            ],
            "issuer": {"name": "Self"},
        }

    def az_json(self) -> str:
        """The same, as `az keyvault certificate create --policy` reads it."""
        return json.dumps(
            {
                "issuerParameters": {"name": "Self"},
                "keyProperties": {
                    "exportable": self.exportable,
                    "keyType": "RSA",
                    "keySize": KEY_BITS,
                    "reuseKey": False,
                },
                "secretProperties": {"contentType": "application/x-pkcs12"},
                "x509CertificateProperties": {
                    "subject": "CN=bot",
                    "keyUsage": ["digitalSignature"],
                    "ekus": [CLIENT_AUTHENTICATION],
                    "validityInMonths": VALID_MONTHS,
                },
                "lifetimeActions": [
                    {
                        "trigger": {"daysBeforeExpiry": RENEW_DAYS_BEFORE_EXPIRY},
                        "action": {"actionType": "AutoRenew"},
                    }
                ],
            },
            indent=2,
        )

    def import_request(self, key_bits: int) -> JsonObject:
        """The policy of an imported certificate, which the vault does not renew."""
        return {
            "key_props": {
                "exportable": self.exportable,
                "kty": "RSA",
                "key_size": key_bits,
                "reuse_key": False,
            },
            "secret_props": {"contentType": "application/x-pkcs12"},
            "issuer": {"name": "Unknown"},
        }

    def import_az_json(self, key_bits: int) -> str:
        """The same, as `az keyvault certificate import --policy` reads it."""
        return json.dumps(
            {
                "issuerParameters": {"name": "Unknown"},
                "keyProperties": {
                    "exportable": self.exportable,
                    "keyType": "RSA",
                    "keySize": key_bits,
                    "reuseKey": False,
                },
                "secretProperties": {"contentType": "application/x-pkcs12"},
            },
            indent=2,
        )

    def problem(self, bundle: JsonObject) -> str:
        """Why the bot cannot use the vault's certificate; empty: it can.

        Args:
            bundle: Key Vault's certificate bundle, with its policy.
        """
        certificate, now = (
            PublicCertificate.from_bundle(bundle),
            datetime.datetime.now(datetime.UTC),
        )
        if not bundle.get("attributes", {}).get("enabled", True):
            return "it is disabled"
        if now < certificate.starts:
            return f"it is not valid before {certificate.starts:%Y-%m-%d %H:%M} UTC"
        if now >= certificate.ends:
            return f"it expired on {certificate.ends:%Y-%m-%d}"
        key = certificate.public.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < KEY_BITS:
            return f"its key is not RSA with {KEY_BITS} bits or more"
        if self.exportable and never_leaves_vault(bundle):
            return "its private key cannot be exported"
        return ""

    def notes(self, bundle: JsonObject) -> tuple[str, ...]:
        """The remarks on a certificate that was not made by this policy."""
        policy = bundle.get("policy", {})
        notes = []
        if not self.exportable and policy.get("key_props", {}).get("exportable"):
            notes.append(
                "the certificate's private key can be exported: whoever reads secrets in the vault"
                " can copy it"
            )
        actions = [
            each.get("action", {}).get("action_type") for each in policy.get("lifetime_actions", ())
        ]
        if "AutoRenew" not in actions:
            notes.append("the vault does not renew this certificate by itself")
        return tuple(notes)


def never_leaves_vault(bundle: JsonObject) -> bool:
    """Whether a certificate's private key cannot be exported.

    Args:
        bundle: Key Vault's certificate bundle, with its policy.
    """
    return bundle.get("policy", {}).get("key_props", {}).get("exportable") is False


PEM = b"-----BEGIN"


@dataclass(frozen=True)
class CertificateFile:
    """A PEM or PFX file without a password, which is imported into the vault.

    Attributes:
        path: of the file.
        key: its private key.
        certificate: the one that belongs to the key.
    """

    path: Path
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the certificate in upper-case hex."""
        return of_certificate(self.certificate).sha1

    def pfx(self) -> str:
        """The certificate with its key as PFX in base64: a secret."""
        archive = pkcs12.serialize_key_and_certificates(
            None, self.key, self.certificate, None, NoEncryption()
        )
        return base64.b64encode(archive).decode()


def read_certificate_file(path: Path, now: datetime.datetime) -> CertificateFile:
    """The certificate in a file.

    Args:
        path: of the file.
        now: the time (UTC), at which the certificate must be valid.

    Raises:
        typer.BadParameter: the file cannot be read, or the bot cannot use what is in it.
    """
    try:
        return CertificateFile(path, *_pair(path.read_bytes(), now))
    except OSError as error:
        raise typer.BadParameter(f"--file: {path} cannot be read: {error.strerror}") from error
    except _UnusableFile as error:
        raise typer.BadParameter(f"--file: {path}: {error}") from error


class _UnusableFile(Exception):
    """The bot cannot use what is in the file; the text says why."""


def _pair(content: bytes, now: datetime.datetime) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """The private key, and the certificate that belongs to it: a chain is in any order.

    Raises:
        _UnusableFile: there is no such pair, or the key is not RSA, or too small, or the
            certificate is not valid now.
    """
    key, certificates = _of_pem(content) if PEM in content else _of_pfx(content)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _UnusableFile("it has no private key of type RSA")
    if key.key_size < KEY_BITS:
        raise _UnusableFile(
            f"its key has {key.key_size} bits, and the bot needs {KEY_BITS} or more"
        )
    public = key.public_key()
    found = next((each for each in certificates if each.public_key() == public), None)
    if found is None:
        raise _UnusableFile("none of its certificates belongs to its private key")
    starts, ends = found.not_valid_before_utc, found.not_valid_after_utc
    if now < starts:
        raise _UnusableFile(
            f"its certificate is not valid before {starts:%Y-%m-%d %H:%M} UTC: wait, or set this"
            " machine's clock"
        )
    if now > ends:
        raise _UnusableFile(f"its certificate expired on {ends:%Y-%m-%d %H:%M} UTC")
    return key, found


def _of_pem(content: bytes) -> tuple[object, list[x509.Certificate]]:
    try:
        return load_pem_private_key(content, None), x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        reason = "a PEM file must have a certificate and its private key, without a password"
        raise _UnusableFile(reason) from error


def _of_pfx(content: bytes) -> tuple[object, list[x509.Certificate]]:
    try:
        bundle = pkcs12.load_pkcs12(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _UnusableFile("it is no PEM file, and no PFX file without a password") from error
    found = [bundle.cert, *bundle.additional_certs]
    return bundle.key, [each.certificate for each in found if each]
