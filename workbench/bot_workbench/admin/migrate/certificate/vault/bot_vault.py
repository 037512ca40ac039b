"""BotVault: the key vault, and in it the bot's certificate with its versions."""

from dataclasses import dataclass
from functools import cached_property

from bot_workbench.admin.azure.arm_client import VAULT
from bot_workbench.admin.azure.errors import Forbidden, NotReachable
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, find_resource
from bot_workbench.admin.migrate.certificate.public_certificate import PublicCertificate
from bot_workbench.admin.migrate.thumbprints import of_identifier
from bot_workbench.admin.plan.target import Target

IN_PROGRESS = "inProgress"
"""`status` of a pending certificate that the vault still makes (REST reference)."""


@dataclass(frozen=True)
class ListedVersion:
    """One version of a certificate, as the vault lists it.

    Attributes:
        version: 32 hex digits.
        thumbprint: SHA-1 in upper-case hex.
        created: seconds since 1970.
        enabled: whether it may be used.
    """

    version: str
    thumbprint: str
    created: int
    enabled: bool


class BotVault:
    """The vault and the certificate that a command is about. Each read is new.

    Args:
        target: has the clients.
        vault: the vault's name.
        name: the certificate's name.
        resource: the vault's resource; None: it is looked for by its name.

    Attributes:
        vault: the vault's name.
        name: the certificate's name.
    """

    def __init__(
        self, target: Target, vault: str, name: str, resource: ResourceId | None = None
    ) -> None:
        self.vault = vault
        self.name = name
        self._azure = target.azure
        self._dry_run = target.options.dry_run
        self._resource = resource

    @cached_property
    def resource(self) -> ResourceId:
        """The vault's resource.

        Raises:
            AzureProblem: it cannot be found.
        """
        return self._resource or find_resource(self._azure.arm, VAULT, self.vault)

    @cached_property
    def properties(self) -> JsonObject:
        """The properties of the vault's resource.

        Raises:
            AzureProblem: it cannot be read.
        """
        found: JsonObject = self._azure.arm.get(self.resource.id)["properties"]
        return found

    @property
    def url(self) -> str:
        """The vault's URL, without a slash at its end.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        named = f"https://{self.vault.lower()}.{self._azure.cloud.vault_suffix}"
        return str(self.properties.get("vaultUri") or named).rstrip("/")

    def request_url(self, action: str) -> str:
        """The URL of an action on the certificate, such as "create"."""
        return self._azure.vault.url(f"{self.url}/certificates/{self.name}/{action}")

    def make(self, action: str, body: JsonObject) -> None:
        """Create or import a version, after VaultAccess has seen the account's role.

        Raises:
            NotReachable: the role has no effect yet, or the vault gives no usable answer.
            AzureProblem: the vault refuses it.
        """
        try:
            self._azure.vault.send("POST", self.request_url(action), body)
        except Forbidden as error:
            if not error.needs_role:
                raise
            text = f"your role has no effect in the vault {self.vault} yet: {error.answer}"
            raise NotReachable(text) from error

    def bundle(self) -> JsonObject | None:
        """The newest version, with its policy; None if there is no such certificate.

        In a dry run None, too, if the account may not read it yet: an earlier step grants that.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        try:
            return self._azure.vault.certificate(self.url, self.name)
        except Forbidden:
            if not self._dry_run:
                raise
            return None

    def public(self, version: str = "") -> PublicCertificate | None:
        """A version, or the newest; None while there is none, or the vault still makes it.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        vault = self._azure.vault
        bundle = vault.certificate(self.url, self.name, version) if version else self.bundle()
        return PublicCertificate.from_bundle(bundle) if bundle and bundle.get("cer") else None

    def pending(self) -> JsonObject:
        """The state of the last creation; empty if there was none.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        path = f"{self.url}/certificates/{self.name}/pending"
        try:
            return self._azure.vault.find(path) or {}
        except Forbidden:
            if not self._dry_run:
                raise
            return {}

    def is_deleted(self) -> bool:
        """Whether a certificate of this name was deleted, and can still be recovered.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        try:
            return bool(self._azure.vault.find(f"{self.url}/deletedcertificates/{self.name}"))
        except Forbidden:
            return False

    def versions(self) -> list[ListedVersion]:
        """All versions, the disabled ones too, newest first.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        listed = [_listed(each) for each in self._azure.vault.versions(self.url, self.name)]
        return sorted(listed, key=lambda version: version.created, reverse=True)

    def enabled_versions(self) -> list[ListedVersion]:
        """The versions that the bot may use, newest first.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return [version for version in self.versions() if version.enabled]


def _listed(item: JsonObject) -> ListedVersion:
    attributes = item.get("attributes") or {}
    return ListedVersion(
        version=str(item["id"]).rsplit("/", 1)[-1],
        thumbprint=of_identifier(str(item.get("x5t") or "")).sha1,
        created=int(attributes.get("created") or 0),
        enabled=bool(attributes.get("enabled")),
    )
