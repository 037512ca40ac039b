"""PublicCertificate: one version of the bot's certificate, without its private key."""

import base64
import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.thumbprints import of_certificate

MAX_DISPLAY_NAME = 90
"""Characters of a key credential's displayName (Graph refuses more)."""

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""Graph's times, in UTC."""


@dataclass(frozen=True)
class PublicCertificate:
    """One version of a certificate in a vault.

    Attributes:
        name: of the certificate in the vault.
        version: 32 hex digits.
        public: the certificate.
    """

    name: str
    version: str
    public: x509.Certificate

    @classmethod
    def from_bundle(cls, bundle: JsonObject) -> "PublicCertificate":
        """The certificate in Key Vault's certificate bundle (REST reference, GetCertificate).

        Raises:
            ValueError: `cer` is not a certificate.
        """
        name, version = str(bundle["id"]).rstrip("/").rsplit("/", 2)[-2:]
        return cls(name, version, x509.load_der_x509_certificate(base64.b64decode(bundle["cer"])))

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

    @property
    def display_name(self) -> str:
        """The key credential's name: the certificate's name, shortened, and the thumbprint."""
        return display_name(self.name, self.thumbprint)

    def key_credential(self) -> JsonObject:
        """The entry for the app registration's `keyCredentials`. Graph chooses the key id."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": self.display_name,
            "startDateTime": self.starts.strftime(TIME_FORMAT),
            "endDateTime": self.ends.strftime(TIME_FORMAT),
            "key": self.der,
        }


def display_name(name: str, thumbprint: str) -> str:
    """A certificate's name and its thumbprint (or a shell variable), in MAX_DISPLAY_NAME."""
    return f"{name[: MAX_DISPLAY_NAME - 41]} {thumbprint}"
