"""The certificates of one vault, with their secrets and keys: present, pending and deleted."""

import base64
import dataclasses
import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from jwt.algorithms import RSAAlgorithm

from bot_workbench.emulator.certificates import private_key_pem, self_signed, x5t
from bot_workbench.emulator.entra.token_issuer import RSA_BITS
from bot_workbench.emulator.key_vault.errors import VaultError
from bot_workbench.emulator.key_vault.policy import (
    PEM,
    PKCS12,
    SELF,
    JsonObject,
    certificate_policy,
    default_policy,
    key_operations,
    self_issued,
    signing_request,
)

MAX_DAYS = 90


@dataclass(frozen=True)
class Retention:
    """The soft-delete settings of a vault's resource.

    Attributes:
        days: from a deletion until the vault purges the object itself, 7 to 90.
        is_protected: purge protection: nobody can purge earlier.
    """

    days: int = MAX_DAYS
    is_protected: bool = False

    @property
    def level(self) -> str:
        """`recoveryLevel` (REST reference, DeletionRecoveryLevel)."""
        level = "Recoverable" if self.days == MAX_DAYS else "CustomizedRecoverable"
        return level if self.is_protected else f"{level}+Purgeable"


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

    def listed(self, kind: str, vault: str) -> JsonObject:
        """The item in a list of `certificates`, `secrets` (without the value) or `keys`."""
        where = f"{vault}/{kind}/{self.name}/{self.version}"
        subject = self.certificate.subject.rfc4514_string()
        items: Mapping[str, JsonObject] = {
            "certificates": {"id": where, **self._public(), "subject": subject},
            "secrets": {"id": where, "contentType": self.content_type, "managed": True},
            "keys": {"kid": where, "managed": True},
        }
        return {**items[kind], "attributes": self._attributes()}

    def certificate_bundle(self, vault: str) -> JsonObject:
        """The certificate; its policy belongs to the name, not to the version."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "id": f"{vault}/certificates/{self.name}/{self.version}",
            "kid": self._key_id(vault),
            "sid": f"{vault}/secrets/{self.name}/{self.version}",
            **self._public(),
            "cer": base64.b64encode(der).decode(),
            "contentType": self.content_type,
            "attributes": self._attributes(),
        }

    def secret_bundle(self, vault: str, content_type: str = "") -> JsonObject:
        """The secret: certificate and private key, or the certificate alone if not exportable.

        Args:
            vault: the vault's base URL.
            content_type: the format of the value; empty: the attribute's.
        """
        content_type = content_type or self.content_type
        return {
            **self.listed("secrets", vault),
            "value": self._pem() if content_type == PEM else self._pkcs12(),
            "contentType": content_type,
            "kid": self._key_id(vault),
        }

    def key_bundle(self, vault: str) -> JsonObject:
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

    def _attributes(self) -> JsonObject:
        return {
            "enabled": self.enabled,
            "nbf": int(self.certificate.not_valid_before_utc.timestamp()),
            "exp": int(self.certificate.not_valid_after_utc.timestamp()),
            "created": self.created,
            "updated": self.updated or self.created,
            "recoveryLevel": self.retention().level,
            "recoverableDays": self.retention().days,
        }

    def _public(self) -> JsonObject:
        tags = {"tags": dict(self.tags)} if self.tags else {}
        return {"x5t": x5t(self.certificate), **tags}

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


@dataclass
class PendingCertificate:
    """A version that is being made.

    Attributes:
        name: the certificate's.
        policy: what it is made by.
        key: its new key, or that of the version before.
        enabled: of the version to be.
        tags: of the version to be.
        due: when it is completed, on the inventory's clock; infinite where another issuer signs.
        completed: whether the version is there.
        request_id: 32 hex digits.
    """

    name: str
    policy: JsonObject
    key: rsa.RSAPrivateKey
    enabled: bool
    tags: Mapping[str, str]
    due: float
    completed: bool = False
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.csr = signing_request(self.policy, self.key)


@dataclass(frozen=True)
class DeletedCertificate:
    """A certificate that was deleted, and can be recovered.

    Attributes:
        versions: all of them, the newest last.
        policy: its policy, with the dates.
        deleted: seconds since 1970.
    """

    versions: list[VaultCertificate]
    policy: JsonObject
    deleted: int


class CertificateInventory:
    """Makes, keeps, deletes and recovers certificates.

    Attributes:
        versions: present certificates by name, the newest version last.
        policies: of the present ones, by name: the JSON of `checked_policy`, with `attributes`.
        pending: the last creation of each name, completed or not.
        deleted: deleted certificates by name.
        contacts: whom a vault writes to before a certificate expires, as the REST reference has it.
        pending_seconds: how long a creation takes. Key Vault needs about ten seconds.
        clock: seconds; a test may replace it.
        retention: returns the vault's; called for each answer.
    """

    def __init__(self) -> None:
        self.retention: Callable[[], Retention] = Retention
        self.versions: dict[str, list[VaultCertificate]] = {}
        self.policies: dict[str, JsonObject] = {}
        self.pending: dict[str, PendingCertificate] = {}
        self.deleted: dict[str, DeletedCertificate] = {}
        self.contacts: list[Mapping[str, str]] = []
        self.pending_seconds = 0.0
        self.clock: Callable[[], float] = time.monotonic

    def add_version(
        self,
        name: str,
        *,
        key: rsa.RSAPrivateKey | None = None,
        certificate: x509.Certificate | None = None,
        content_type: str = PKCS12,
        exportable: bool = True,
        enabled: bool = True,
        starts_in_days: float = -1,
        ends_in_days: float = 365,
        tags: Mapping[str, str] | None = None,
    ) -> VaultCertificate:
        """Add a version, which becomes the current one.

        Args:
            name: of the certificate, its secret and its key.
            key: None generates one.
            certificate: for `key`; None makes a self-signed one.
            content_type: of the secret, `application/x-pkcs12` or `application/x-pem-file`.
            exportable: whether the secret holds the private key.
            enabled: whether the secret can be read and the key used.
            starts_in_days, ends_in_days: validity of a self-signed certificate, from now.
            tags: application specific, by name.
        """
        key = key or rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        versions = self.versions.setdefault(name, [])
        # `created` is in whole seconds; two versions never share one.
        after_last = versions[-1].created + 1 if versions else 0
        made = VaultCertificate(
            name=name,
            version=uuid.uuid4().hex,
            certificate=certificate
            or self_signed(name, key, starts_in_days=starts_in_days, ends_in_days=ends_in_days),
            private_key=key,
            content_type=content_type,
            exportable=exportable,
            enabled=enabled,
            created=max(int(time.time()), after_last),
            tags=tags or {},
            retention=lambda: self.retention(),  # it may be replaced later
        )
        versions.append(made)
        if name not in self.policies:
            policy = certificate_policy(default_policy(), made.certificate, key.key_size)
            policy["key_props"]["exportable"] = exportable
            policy["secret_props"]["contentType"] = content_type
            self.keep_policy(name, policy)
        return made

    def keep_policy(self, name: str, policy: JsonObject) -> None:
        """Replace the policy of a name."""
        now = int(time.time())
        known = self.policies.get(name, {"attributes": {"created": now}})
        dates = {"created": known["attributes"]["created"], "updated": now}
        self.policies[name] = {**policy, "attributes": {"enabled": True, **dates}}

    def create(
        self,
        name: str,
        policy: JsonObject,
        key: rsa.RSAPrivateKey,
        enabled: bool,
        tags: Mapping[str, str],
    ) -> PendingCertificate:
        """Start to make a version; `settle` completes it.

        Raises:
            VaultError: as `check_free` says.
        """
        self.check_free(name)
        due = self.clock() + self.pending_seconds if policy["issuer"]["name"] == SELF else math.inf
        made = PendingCertificate(name, policy, key, enabled, tags, due)
        self.keep_policy(name, policy)
        self.pending[name] = made
        return made

    def settle(self) -> None:
        """Complete the creations that are due."""
        for pending in self.pending.values():
            if not pending.completed and pending.due <= self.clock():
                pending.completed = True
                self.add_version(
                    pending.name,
                    key=pending.key,
                    certificate=self_issued(pending.policy, pending.key),
                    content_type=pending.policy["secret_props"]["contentType"],
                    exportable=pending.policy["key_props"]["exportable"],
                    enabled=pending.enabled,
                    tags=pending.tags,
                )

    def check_free(self, name: str) -> None:
        """Refuse a new version while another one is pending, or the name is a deleted one's.

        Raises:
            VaultError: 409.
        """
        if name in self.deleted:
            raise VaultError("deleted", name)
        if name in self.pending and not self.pending[name].completed:
            raise VaultError("pending")

    def known(self, name: str, kind: str) -> list[VaultCertificate]:
        """The versions of a certificate, secret or key (`kind`), the newest last.

        Raises:
            VaultError: 404.
        """
        versions = self.versions.get(name)
        if not versions:
            raise VaultError("not found", kind, kind.lower(), name)
        return versions

    def requested(self, name: str, version: str, kind: str) -> VaultCertificate:
        """One version; the newest, if `version` is empty.

        Raises:
            VaultError: 404.
        """
        versions = self.known(name, kind)
        if not version:
            return versions[-1]
        found = next((known for known in versions if known.version == version), None)
        if found is None:
            raise VaultError("not found", kind, kind.lower(), f"{name}/{version}")
        return found

    def update(
        self, found: VaultCertificate, enabled: bool | None, tags: Mapping[str, str] | None
    ) -> VaultCertificate:
        """Change a version; None leaves a value as it is."""
        changed = dataclasses.replace(
            found,
            enabled=found.enabled if enabled is None else enabled,
            tags=found.tags if tags is None else tags,
            updated=int(time.time()),
        )
        versions = self.versions[found.name]
        versions[versions.index(found)] = changed
        return changed

    def delete(self, name: str) -> DeletedCertificate:
        """Delete a certificate with its secret and its key; it can be recovered.

        Raises:
            VaultError: 404.
        """
        versions = self.known(name, "Certificate")
        made = DeletedCertificate(versions, self.policies.pop(name), int(time.time()))
        del self.versions[name]
        self.pending.pop(name, None)
        self.deleted[name] = made
        return made

    def recover(self, name: str) -> None:
        """Undo a deletion.

        Raises:
            VaultError: 404.
        """
        found = self.deleted_one(name)
        self.versions[name], self.policies[name] = found.versions, found.policy
        del self.deleted[name]

    def purge(self, name: str) -> None:
        """Delete a deleted certificate for good.

        Raises:
            VaultError: 404, or 403 in a vault with purge protection.
        """
        self.deleted_one(name)
        if self.retention().is_protected:
            raise VaultError("purge protection")
        del self.deleted[name]

    def deleted_one(self, name: str) -> DeletedCertificate:
        """A deleted certificate.

        Raises:
            VaultError: 404.
        """
        found = self.deleted.get(name)
        if found is None:
            raise VaultError("not deleted", name)
        return found


def key_pair(
    value: str, password: str, content_type: str
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
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
        raise VaultError("bad parameter", "This stand-in of Key Vault has RSA keys only")
    if key.public_key() != certificate.public_key():
        raise VaultError(
            "bad parameter", "The private key and the X.509 certificate do not belong together"
        )
    return key, certificate


def _pem(value: str) -> tuple[object, x509.Certificate]:
    if "-----BEGIN" not in value:
        try:
            value = base64.b64decode(value).decode("latin-1")
        except ValueError:
            value = ""
    if "PRIVATE KEY-----" not in value:
        raise VaultError(
            "bad parameter",
            "Private key is not specified in the specified X.509 PEM certificate content. Please"
            " specify private key in the X.509 PEM certificate content.",
        )
    # Key Vault takes keys in PKCS#8 only, not in PKCS#1 ("BEGIN RSA PRIVATE KEY").
    if "-----BEGIN PRIVATE KEY-----" in value:
        try:
            raw = value.encode()
            key = serialization.load_pem_private_key(raw, None)
            return key, x509.load_pem_x509_certificate(raw)
        except (ValueError, TypeError):
            pass
    raise VaultError(
        "bad parameter",
        "The specified PEM X.509 certificate content is in an unexpected format. Please check if"
        " certificate is in valid PEM format.",
    )


def _pfx(value: str, password: str) -> tuple[object, x509.Certificate]:
    for each in [password.encode()] if password else [None, b""]:
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(base64.b64decode(value), each)
        except ValueError:
            continue
        if key is not None and certificate is not None:
            return key, certificate
    raise VaultError(
        "bad parameter",
        "The specified PKCS#12 X.509 certificate content can not be read. Please check if"
        " certificate is in valid PKCS#12 format.",
    )
