"""VaultCertificate: one version of a certificate in the vault, with its secret and key."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from jwt.algorithms import RSAAlgorithm

from bot_workbench.emulator.certificates import private_key_pem, x5t
from bot_workbench.emulator.key_vault.issuance import key_operations
from bot_workbench.emulator.key_vault.policy import PEM
from bot_workbench.emulator.key_vault.retention import Retention


@dataclass(frozen=True)
class VaultCertificate:
    """A certificate with the secret and the key that Key Vault stores under the same name.

    The bundles follow the Key Vault REST reference; `vault` is the vault's base URL.

    Attributes:
        name: of the certificate, its secret and its key.
        version: 32 hex digits.
        certificate: the public part.
        private_key: part of the secret (if exportable); the key signs with it.
        content_type: of the secret, `application/x-pkcs12` or `application/x-pem-file`.
        exportable: whether the secret holds the private key.
        enabled: whether the secret can be read and the key used.
        created: seconds since 1970.
        updated: seconds since 1970; 0: not updated since it was created.
        tags: application specific, by name.
        retention: returns the vault's.
    """

    name: str
    version: str
    certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey
    content_type: str
    exportable: bool
    enabled: bool
    created: int
    updated: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    retention: Callable[[], Retention] = Retention

    def listed_certificate(self, vault: str) -> dict[str, Any]:
        """The item in a list of the certificate's versions."""
        return {
            "id": f"{vault}/certificates/{self.name}/{self.version}",
            "x5t": x5t(self.certificate),
            "attributes": self._attributes(),
            "subject": self.certificate.subject.rfc4514_string(),
            **self._tags(),
        }

    def listed_key(self, vault: str) -> dict[str, Any]:
        """The item in a list of the key's versions."""
        return {"kid": self._key_id(vault), "managed": True, "attributes": self._attributes()}

    def listed_secret(self, vault: str) -> dict[str, Any]:
        """The item in a list of the secret's versions, without the value."""
        return {
            "id": f"{vault}/secrets/{self.name}/{self.version}",
            "contentType": self.content_type,
            "managed": True,
            "attributes": self._attributes(),
        }

    def certificate_bundle(self, vault: str) -> dict[str, Any]:
        """The certificate; its policy belongs to the name, not to the version."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "id": f"{vault}/certificates/{self.name}/{self.version}",
            "kid": self._key_id(vault),
            "sid": f"{vault}/secrets/{self.name}/{self.version}",
            "x5t": x5t(self.certificate),
            "cer": base64.b64encode(der).decode(),
            "contentType": self.content_type,
            "attributes": self._attributes(),
            **self._tags(),
        }

    def secret_bundle(self, vault: str, content_type: str = "") -> dict[str, Any]:
        """The secret: certificate and private key, or the certificate alone if not exportable.

        Args:
            vault: the vault's base URL.
            content_type: the format of the value; empty: the attribute's.
        """
        content_type = content_type or self.content_type
        return {
            **self.listed_secret(vault),
            "value": self._pem() if content_type == PEM else self._pkcs12(),
            "contentType": content_type,
            "kid": self._key_id(vault),
        }

    def key_bundle(self, vault: str) -> dict[str, Any]:
        """The public half of the key (RFC 7517)."""
        jwk = RSAAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        key = {
            "kid": self._key_id(vault),
            "kty": "RSA",
            "key_ops": key_operations(self.certificate),
            "n": jwk["n"],
            "e": jwk["e"],
        }
        return {"key": key, "managed": True, "attributes": self._attributes()}

    def _key_id(self, vault: str) -> str:
        return f"{vault}/keys/{self.name}/{self.version}"

    def _attributes(self) -> dict[str, Any]:
        return {
            "enabled": self.enabled,
            "nbf": int(self.certificate.not_valid_before_utc.timestamp()),
            "exp": int(self.certificate.not_valid_after_utc.timestamp()),
            "created": self.created,
            "updated": self.updated or self.created,
            "recoveryLevel": self.retention().level,
            "recoverableDays": self.retention().days,
        }

    def _tags(self) -> dict[str, Any]:
        return {"tags": dict(self.tags)} if self.tags else {}

    def _pem(self) -> str:
        public = self.certificate.public_bytes(serialization.Encoding.PEM)
        private = private_key_pem(self.private_key) if self.exportable else b""
        return (private + public).decode()

    def _pkcs12(self) -> str:
        archive = pkcs12.serialize_key_and_certificates(
            None,
            self.private_key if self.exportable else None,
            self.certificate,
            None,
            serialization.NoEncryption(),
        )
        return base64.b64encode(archive).decode()
