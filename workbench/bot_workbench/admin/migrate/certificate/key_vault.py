"""The key vault: the account's access to it, and in it the bot's certificate with its versions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from urllib.parse import urlsplit

from bot_workbench.admin.azure.arm_client import VAULT
from bot_workbench.admin.azure.errors import Forbidden, NotReachable
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, find_resource
from bot_workbench.admin.migrate.certificate.certificates import (
    CertificateFile,
    CertificatePolicy,
    PublicCertificate,
)
from bot_workbench.admin.migrate.steps.roles import (
    KEY_VAULT_CERTIFICATES_OFFICER,
    SERVICE_PRINCIPAL,
    USER,
    allowing,
    role_assignment,
)
from bot_workbench.admin.migrate.thumbprints import of_identifier
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Change, Finding, Step
from bot_workbench.admin.plan.target import Target

POLICY_FILE = "certificate-policy.json"

IN_PROGRESS = "inProgress"
"""`status` of a pending certificate that the vault still makes (REST reference)."""

_CLOSED = ("Client address is not authorized", "Public network access is disabled")
"""In Key Vault's refusals by its firewall."""


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

    In a dry run, what the account may not read is taken as missing: an earlier step grants that.

    Args:
        target: has the clients.
        vault: the vault's name.
        name: the certificate's name.
        resource: the vault's resource; None: it is looked for by its name.

    Attributes:
        azure: the clients.
        dry_run: whether earlier steps are only planned.
        vault: the vault's name.
        name: the certificate's name.
    """

    def __init__(
        self, target: Target, vault: str, name: str, resource: ResourceId | None = None
    ) -> None:
        self.azure = target.azure
        self.dry_run = target.options.dry_run
        self.vault = vault
        self.name = name
        self._resource = resource

    @cached_property
    def resource(self) -> ResourceId:
        """The vault's resource.

        Raises:
            AzureProblem: it cannot be found.
        """
        return self._resource or find_resource(self.azure.arm, VAULT, self.vault)

    @cached_property
    def properties(self) -> JsonObject:
        """The properties of the vault's resource.

        Raises:
            AzureProblem: it cannot be read.
        """
        found: JsonObject = self.azure.arm.get(self.resource.id)["properties"]
        return found

    @property
    def url(self) -> str:
        """The vault's URL, without a slash at its end.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        named = f"https://{self.vault.lower()}.{self.azure.cloud.vault_suffix}"
        return str(self.properties.get("vaultUri") or named).rstrip("/")

    def make(self, url: str, body: JsonObject) -> None:
        """Create or import a version, after `vault_access` has seen the account's role.

        Raises:
            NotReachable: the role has no effect yet, or the vault gives no usable answer.
            AzureProblem: the vault refuses it.
        """
        try:
            self.azure.vault.send("POST", url, body)
        except Forbidden as error:
            if not error.needs_role:
                raise
            text = f"your role has no effect in the vault {self.vault} yet: {error.answer}"
            raise NotReachable(text) from error

    def bundle(self, part: str = "") -> JsonObject | None:
        """The newest version, with its policy; None if there is no such certificate.

        Args:
            part: "/VERSION": this version; "/pending": the state of the last creation.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        try:
            return self.azure.vault.find(f"{self.url}/certificates/{self.name}{part}")
        except Forbidden:
            if not self.dry_run:
                raise
            return None

    def public(self, version: str = "") -> PublicCertificate | None:
        """A version, or the newest; None while there is none, or the vault still makes it.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        bundle = self.bundle(version and f"/{version}")
        return PublicCertificate.from_bundle(bundle) if bundle and bundle.get("cer") else None

    def is_deleted(self) -> bool:
        """Whether a certificate of this name was deleted, and can still be recovered.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        try:
            return self.azure.vault.is_deleted(self.url, self.name)
        except Forbidden:
            return False

    def versions(self) -> list[ListedVersion]:
        """All versions, the disabled ones too, newest first.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        listed = [_listed(each) for each in self.azure.vault.versions(self.url, self.name)]
        return sorted(listed, key=lambda version: version.created, reverse=True)


def _listed(item: JsonObject) -> ListedVersion:
    attributes = item.get("attributes") or {}
    return ListedVersion(
        version=str(item["id"]).rsplit("/", 1)[-1],
        thumbprint=of_identifier(str(item.get("x5t") or "")).sha1,
        created=int(attributes.get("created") or 0),
        enabled=bool(attributes.get("enabled")),
    )


def vault_access(vault: BotVault, writes: Callable[[], bool], *, is_lasting: bool = False) -> Step:
    """The account may read the vault's certificates, and make one if that is needed.

    Args:
        vault: the vault.
        writes: whether a certificate must be made or imported.
        is_lasting: whether later commands need the role, too, so that nobody should take it back.
    """

    def look() -> Finding:
        """Try to read the certificate, then read the account's roles."""
        name, azure = vault.vault, vault.azure
        if not vault.properties.get("enableRbacAuthorization"):
            return Finding(
                f"the vault {name} uses access policies, not roles",
                refusal=f"roles have no effect in the vault {name}: use a vault of its own for the"
                f" bot's certificate (docs/deploy-by-hand.md, 4.1), or switch this one over (`az"
                f" keyvault update --name {name} --enable-rbac-authorization true`), which ends all"
                " access by its access policies",
            )
        refused = _refusal_to_read(vault)
        if any(text in refused for text in _CLOSED):
            return Finding(
                f"the vault {name} does not accept calls from this network",
                refusal=f"let this machine through the firewall of the vault {name}: {refused}",
            )
        if not refused and not writes():
            return Finding(f"your account can read the certificates of {name}")
        caller, role, scope = azure.caller, KEY_VAULT_CERTIFICATES_OFFICER, vault.resource.id
        granted = allowing(azure.arm, scope, caller.object_id, role)
        if granted and refused:
            return Finding(f"your role {granted} has no effect yet", waiting=True)
        missing = role_assignment(
            azure.arm,
            scope=scope,
            role=role,
            principal_id=lambda: caller.object_id,
            principal_type=USER if caller.is_user else SERVICE_PRINCIPAL,
            whose="your account",
        ).look()
        wait = (
            "for attempt in $(seq 60); do # a new role takes minutes to have an effect",
            f"  az keyvault certificate list --vault-name {quoted(name)} --output none 2> /dev/null"
            " && break",
            "  sleep 10",
            "done",
        )
        return replace(
            missing,
            changes=tuple(replace(each, az=(*each.az, *wait)) for each in missing.changes),
            notes=() if is_lasting else tuple(map(_removal, missing.changes)),
        )

    return Step("Your access to the vault", look)


def _refusal_to_read(vault: BotVault) -> str:
    try:
        vault.azure.vault.certificate(vault.url, vault.name)
    except Forbidden as error:
        return str(error)
    return ""


def _removal(change: Change) -> str:
    """The line that takes back a role that is needed only while the command runs."""
    removal = az("role assignment delete", {"--ids": urlsplit(change.url).path})
    return f"your account keeps this role; to take it back when you are done: `{removal}`"


def vault_certificate(
    vault: BotVault,
    policy: CertificatePolicy,
    file: CertificateFile | None = None,
    otherwise: str = "choose another name with --name",
) -> Step:
    """The vault has a certificate that the bot can use: the one that is there, a file's, or one
    that it makes.

    Args:
        vault: the vault and the certificate's name.
        policy: how it is made, and what the bot needs.
        file: what to import; None: the vault makes it.
        otherwise: what to do if the one that is there is of no use, in the imperative.
    """

    def look() -> Finding:
        bundle = vault.bundle()
        if unfinished := unfinished_creation(vault, has_certificate=bool(bundle)):
            return unfinished
        place = f"the vault {vault.vault} has"
        if bundle and bundle.get("cer"):
            certificate = PublicCertificate.from_bundle(bundle)
            problem = policy.problem(bundle)
            if file is not None and file.thumbprint != certificate.thumbprint:
                problem = f"it is another one than the file's, {file.thumbprint}"
            if problem:
                return Finding(
                    f"{place} the certificate {vault.name}, {certificate}",
                    refusal=f"the bot cannot use the certificate {vault.name} of the vault"
                    f" {vault.vault}: {problem}; {otherwise}",
                )
            text = f"{place} the certificate {vault.name}: {certificate}"
            return Finding(text, notes=policy.notes(bundle))
        if vault.is_deleted():
            where = f"--vault-name {vault.vault} --name {vault.name}"
            return Finding(
                f"the certificate {vault.name} was deleted, and its name is reserved",
                refusal=f"the certificate {vault.name} of the vault {vault.vault} was deleted:"
                f" recover it (`az keyvault certificate recover {where}`), or {otherwise}",
            )
        change = _import(vault, policy, file) if file else creation(vault, policy)
        return Finding(f"{place} no certificate {vault.name}", changes=(change,))

    return Step("Certificate in Key Vault", look)


def unfinished_creation(vault: BotVault, *, has_certificate: bool) -> Finding | None:
    """The notice of a certificate that the vault still makes, or could not make; else None.

    Raises:
        AzureProblem: the vault cannot be read.
    """
    pending = vault.bundle("/pending") or {}
    if pending.get("status") == IN_PROGRESS:
        return Finding(f"the vault {vault.vault} is making the certificate", waiting=True)
    if (error := pending.get("error")) and not has_certificate:
        reason = f"{error.get('code', '')}: {error.get('message', '')}"
        return Finding(
            f"the vault {vault.vault} could not make the certificate",
            refusal=f"the vault could not make the certificate {vault.name} ({reason}): delete the"
            " attempt (`az keyvault certificate pending delete --vault-name"
            f" {vault.vault} --name {vault.name}`), and run the command again",
        )
    return None


def creation(vault: BotVault, policy: CertificatePolicy) -> Change:
    """The call that makes a certificate, or its next version."""
    return _making(
        vault,
        "create",
        {"policy": policy.request(), "attributes": {"enabled": True}},
        f"Make a version of the certificate {vault.name} in the vault {vault.vault}: RSA,"
        f" for 12 months, {'' if policy.exportable else 'not '}exportable, renewed by the vault",
        policy.az_json(),
        {},
    )


def _import(vault: BotVault, policy: CertificatePolicy, file: CertificateFile) -> Change:
    bits = file.key.key_size
    return _making(
        vault,
        "import",
        {"value": file.pfx(), "policy": policy.import_request(bits)},
        f"Import the certificate {file.thumbprint} into the vault {vault.vault} as"
        f" {vault.name}, {'' if policy.exportable else 'not '}exportable",
        policy.import_az_json(bits),
        {"--file": str(file.path)},
    )


def _making(
    vault: BotVault,
    action: str,
    body: JsonObject,
    summary: str,
    az_policy: str,
    options: dict[str, str | None],
) -> Change:
    url = vault.azure.vault.url(f"{vault.url}/certificates/{vault.name}/{action}")
    where = {"--vault-name": vault.vault, "--name": vault.name, **options}
    command = az(f"keyvault certificate {action}", {**where, "--policy": f"@{POLICY_FILE}"})
    return Change(
        method="POST",
        url=url,
        body=body,
        summary=summary,
        az=(f"cat > {POLICY_FILE} <<'JSON'", az_policy, "JSON", command),
        service="vault",
        hidden=frozenset({"value"}),
        send=partial(vault.make, url, body),
    )
