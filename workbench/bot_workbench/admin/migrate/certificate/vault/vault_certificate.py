"""VaultCertificate: the vault has a certificate that the bot can use."""

from functools import partial

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.certificate_file import CertificateFile
from bot_workbench.admin.migrate.certificate.policy import CertificatePolicy
from bot_workbench.admin.migrate.certificate.public_certificate import PublicCertificate
from bot_workbench.admin.migrate.certificate.registration.registered_certificate import Now, utc_now
from bot_workbench.admin.migrate.certificate.vault.bot_vault import IN_PROGRESS, BotVault
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding

POLICY_FILE = "certificate-policy.json"


class VaultCertificate:
    """The vault has the certificate: the one that is there, a file's, or one that it makes.

    Args:
        vault: the vault and the certificate's name.
        policy: how it is made, and what the bot needs.
        file: what to import; None: the vault makes it.
        now: the time (UTC).
        otherwise: what to do if the one that is there is of no use, in the imperative.
    """

    title = "Certificate in Key Vault"

    def __init__(
        self,
        vault: BotVault,
        policy: CertificatePolicy,
        file: CertificateFile | None = None,
        now: Now = utc_now,
        otherwise: str = "choose another name with --name",
    ) -> None:
        self._vault = vault
        self._policy = policy
        self._file = file
        self._now = now
        self._otherwise = otherwise

    def look(self) -> Finding:
        """Read the certificate and its policy.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        vault, bundle = self._vault, self._vault.bundle()
        pending = vault.pending()
        if unfinished := unfinished_creation(vault, pending, has_certificate=bool(bundle)):
            return unfinished
        if bundle is None or not bundle.get("cer"):
            if vault.is_deleted():
                return self._deleted()
            text = f"the vault {vault.vault} has no certificate {vault.name}"
            file, policy = self._file, self._policy
            change = _imported(vault, policy, file) if file else creation(vault, policy)
            return Finding(text, changes=(change,))
        certificate = PublicCertificate.from_bundle(bundle)
        if problem := self._problem(bundle, certificate):
            return Finding(
                f"the vault {vault.vault} has the certificate {vault.name}, {certificate}",
                refusal=f"the bot cannot use the certificate {vault.name} of the vault"
                f" {vault.vault}: {problem}; {self._otherwise}",
            )
        return Finding(
            f"the vault {vault.vault} has the certificate {vault.name}: {certificate}",
            notes=self._policy.notes(bundle),
        )

    def _deleted(self) -> Finding:
        where = f"--vault-name {self._vault.vault} --name {self._vault.name}"
        return Finding(
            f"the certificate {self._vault.name} was deleted, and its name is reserved",
            refusal=f"the certificate {self._vault.name} of the vault {self._vault.vault} was"
            f" deleted: recover it (`az keyvault certificate recover {where}`), or"
            f" {self._otherwise}",
        )

    def _problem(self, bundle: JsonObject, certificate: PublicCertificate) -> str:
        if self._file is not None and self._file.thumbprint != certificate.thumbprint:
            return f"it is another one than the file's, {self._file.thumbprint}"
        return self._policy.problem(bundle, self._now())


def creation(vault: BotVault, policy: CertificatePolicy) -> Change:
    """The call that makes a certificate, or its next version."""
    where = {"--vault-name": vault.vault, "--name": vault.name, "--policy": f"@{POLICY_FILE}"}
    body: JsonObject = {"policy": policy.request(), "attributes": {"enabled": True}}
    return Change(
        method="POST",
        url=vault.request_url("create"),
        body=body,
        summary=f"Make a version of the certificate {vault.name} in the vault {vault.vault}: RSA,"
        f" for 12 months, {'' if policy.exportable else 'not '}exportable, renewed by the vault",
        az=(*_heredoc(policy.az_json()), az("keyvault certificate create", where)),
        service="vault",
        send=partial(vault.make, "create", body),
    )


def _imported(vault: BotVault, policy: CertificatePolicy, file: CertificateFile) -> Change:
    where = {
        "--vault-name": vault.vault,
        "--name": vault.name,
        "--file": str(file.path),
        "--policy": f"@{POLICY_FILE}",
    }
    body = {"value": file.pfx(), "policy": policy.import_request(file.key_bits)}
    return Change(
        method="POST",
        url=vault.request_url("import"),
        body=body,
        summary=f"Import the certificate {file.thumbprint} into the vault {vault.vault} as"
        f" {vault.name}, {'' if policy.exportable else 'not '}exportable",
        az=(
            *_heredoc(policy.import_az_json(file.key_bits)),
            az("keyvault certificate import", where),
        ),
        service="vault",
        hidden=frozenset({"value"}),
        send=partial(vault.make, "import", body),
    )


def unfinished_creation(
    vault: BotVault, pending: JsonObject, *, has_certificate: bool
) -> Finding | None:
    """The notice of a certificate that the vault still makes, or could not make; else None."""
    status = pending.get("status")
    if status == IN_PROGRESS:
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


def _heredoc(text: str) -> tuple[str, ...]:
    return (f"cat > {POLICY_FILE} <<'JSON'", text, "JSON")
