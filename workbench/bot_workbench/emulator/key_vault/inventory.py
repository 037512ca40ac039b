"""CertificateInventory: the certificates of one vault, present, pending and deleted."""

import dataclasses
import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import self_signed
from bot_workbench.emulator.entra.token_issuer import RSA_BITS
from bot_workbench.emulator.key_vault.certificate import VaultCertificate
from bot_workbench.emulator.key_vault.errors import VaultError, not_found
from bot_workbench.emulator.key_vault.issuance import months_of, self_issued, signing_request
from bot_workbench.emulator.key_vault.policy import PKCS12, SELF, CertificatePolicy
from bot_workbench.emulator.key_vault.retention import Retention


@dataclass
class PendingCertificate:
    """A version that is being made.

    Attributes:
        policy: what it is made by.
        key: its new key, or that of the version before.
        enabled: of the version to be.
        tags: of the version to be.
        due: when it is completed, on the inventory's clock; infinite where another issuer signs.
        completed: whether the version is there.
        request_id: 32 hex digits.
    """

    policy: CertificatePolicy
    key: rsa.RSAPrivateKey
    enabled: bool
    tags: Mapping[str, str]
    due: float
    completed: bool = False
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.csr = signing_request(self.policy, self.key)


@dataclass
class KeptPolicy:
    """A certificate's policy with its dates (seconds since 1970)."""

    policy: CertificatePolicy
    created: int
    updated: int


@dataclass(frozen=True)
class DeletedCertificate:
    """A certificate that was deleted, and can be recovered.

    Attributes:
        versions: all of them, the newest last.
        kept: its policy.
        deleted: seconds since 1970.
    """

    versions: list[VaultCertificate]
    kept: KeptPolicy
    deleted: int


class CertificateInventory:
    """Makes, keeps, deletes and recovers certificates.

    Attributes:
        versions: present certificates by name, the newest version last.
        policies: of the present ones, by name.
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
        self.policies: dict[str, KeptPolicy] = {}
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
            self.keep_policy(name, _policy_of(made))
        return made

    def keep_policy(self, name: str, policy: CertificatePolicy) -> None:
        """Replace the policy of a name."""
        now = int(time.time())
        created = self.policies[name].created if name in self.policies else now
        self.policies[name] = KeptPolicy(policy, created, now)

    def create(
        self,
        name: str,
        policy: CertificatePolicy,
        key: rsa.RSAPrivateKey,
        enabled: bool,
        tags: Mapping[str, str],
    ) -> PendingCertificate:
        """Start to make a version; `settle` completes it.

        Raises:
            VaultError: as `check_free` says.
        """
        self.check_free(name)
        due = self.clock() + self.pending_seconds if policy.issuer == SELF else math.inf
        made = PendingCertificate(policy, key, enabled, tags, due)
        self.keep_policy(name, policy)
        self.pending[name] = made
        return made

    def settle(self) -> None:
        """Complete the creations that are due."""
        for name, pending in self.pending.items():
            if not pending.completed and pending.due <= self.clock():
                pending.completed = True
                self.add_version(
                    name,
                    key=pending.key,
                    certificate=self_issued(pending.policy, pending.key),
                    content_type=pending.policy.content_type,
                    exportable=pending.policy.exportable,
                    enabled=pending.enabled,
                    tags=pending.tags,
                )

    def check_free(self, name: str) -> None:
        """Refuse a new version while another one is pending, or the name is a deleted one's.

        Raises:
            VaultError: 409.
        """
        if name in self.deleted:
            raise VaultError(
                409,
                "Conflict",
                f"Certificate {name} is currently in a deleted but recoverable state, and its name"
                " cannot be reused; in this state, the certificate can only be recovered or"
                " purged.",
                "ObjectIsDeletedButRecoverable",
            )
        if name in self.pending and not self.pending[name].completed:
            raise VaultError(
                409,
                "Forbidden",
                "A new key vault certificate can not be created or imported while a pending key"
                " vault certificate's status is inProgress.",
            )

    def known(self, name: str, kind: str) -> list[VaultCertificate]:
        """The versions of a certificate, secret or key (`kind`), the newest last.

        Raises:
            VaultError: 404.
        """
        versions = self.versions.get(name)
        if not versions:
            raise not_found(kind, name)
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
            raise not_found(kind, f"{name}/{version}")
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
        self.versions[name], self.policies[name] = found.versions, found.kept
        del self.deleted[name]

    def purge(self, name: str) -> None:
        """Delete a deleted certificate for good.

        Raises:
            VaultError: 404, or 403 in a vault with purge protection.
        """
        self.deleted_one(name)
        if self.retention().is_protected:
            raise VaultError(
                403,
                "Forbidden",
                'Operation "purge" is not allowed because purge protection is enabled for this '
                "vault. Key Vault service will automatically purge it after the retention period "
                "has passed.",
            )
        del self.deleted[name]

    def deleted_one(self, name: str) -> DeletedCertificate:
        """A deleted certificate.

        Raises:
            VaultError: 404.
        """
        found = self.deleted.get(name)
        if found is None:
            message = f"Deleted Certificate not found: {name}"
            raise VaultError(404, "CertificateNotFound", message)
        return found


def _policy_of(made: VaultCertificate) -> CertificatePolicy:
    return CertificatePolicy(
        subject=made.certificate.subject.rfc4514_string(),
        exportable=made.exportable,
        key_size=made.private_key.key_size,
        content_type=made.content_type,
        validity_months=months_of(made.certificate),
    )
