"""ExportableKey: the bot can load the private key of the certificate that the vault has."""

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Forbidden, NotFound
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import CREDENTIAL
from bot_workbench.admin.deployment.prepare.last_deployment import deployments
from bot_workbench.admin.deployment.prepare.region import normalized
from bot_workbench.admin.deployment.prepare.vault_mode import deleted_vaults
from bot_workbench.admin.migrate.certificate.policy import never_leaves_vault
from bot_workbench.admin.plan.step import Finding
from bot_workbench.credential_kinds import CERTIFICATE, FEDERATED, SIGN_IN_VAULT


class ExportableKey:
    """For the credential Certificate: the vault's certificate, if it has one, can be exported.

    Key Vault never changes that of a key. The vault itself says how it is. Where the account may
    not read it, or the vault is deleted and will be recovered with all that it had, what was
    deployed last does.

    Args:
        azure: the clients.
        options: name the environment.
        location: the region: a deleted vault of another one stays deleted.
    """

    title = "Private key of the certificate"

    def __init__(self, azure: AzureClients, options: DeploymentOptions, location: str) -> None:
        self._azure = azure
        self._options = options
        self._location = normalized(location)
        self._deployed = Deployed(azure, options)

    def look(self) -> Finding:
        """Read the certificate, or what was deployed last.

        Raises:
            AzureProblem: neither can be read.
        """
        try:
            vault = self._deployed.vault
        except NotFound:
            return self._recovered() if self._is_deleted() else Finding("there is no vault yet")
        credential = self._used()
        if credential == CERTIFICATE:
            return Finding("the bot signs in with Certificate already")
        try:
            bundle = self._azure.vault.certificate(vault.url, vault.name)
        except Forbidden:
            return self._unread(vault.vault, credential)
        if bundle is None:
            return Finding(f"the vault {vault.vault} has no certificate yet")
        if never_leaves_vault(bundle):
            return self._refused(f"the private key in the vault {vault.vault} cannot be exported")
        return Finding(f"the private key in the vault {vault.vault} can be exported")

    def _used(self) -> str:
        """With what the app signs in, by its settings; empty: there is no app."""
        try:
            return self._deployed.credential.name
        except NotFound:
            return ""

    def _unread(self, vault: str, credential: str) -> Finding:
        """The account may not read the vault: the app's settings say what it was made for."""
        if credential == SIGN_IN_VAULT:
            return self._refused(f"the bot signs in with a key that never leaves the vault {vault}")
        return Finding(
            f"your account may not read the certificates of the vault {vault}",
            notes=(
                "if its certificate was made for SignInVault, the bot cannot load it, and the step"
                " after the template refuses it",
            ),
        )

    def _is_deleted(self) -> bool:
        """Whether the template will recover a deleted vault."""
        found = deleted_vaults(self._azure.arm, self._options)
        places = [str(each["properties"].get("location") or "") for each in found]
        return self._location in map(normalized, places)

    def _recovered(self) -> Finding:
        """The vault is deleted: the deployments that used it say what it was made for."""
        try:
            found = deployments(self._azure.arm, self._options)
        except Forbidden:
            found = []
        credentials = {each.value(CREDENTIAL) for each in found}
        # A certificate that was made for Certificate stays, and SignInVault can use it, too.
        if SIGN_IN_VAULT in credentials and CERTIFICATE not in credentials:
            return self._refused(
                "the deleted vault of this environment is recovered with its certificate, which was"
                " made for SignInVault"
            )
        return Finding("the deleted vault of this environment is recovered with its certificate")

    def _refused(self, text: str) -> Finding:
        again = self._options.to_choose(CREDENTIAL, SIGN_IN_VAULT)
        federated = self._options.to_choose(CREDENTIAL, FEDERATED)
        return Finding(
            text,
            refusal=f"{text}, so the bot could not load it with Certificate: choose SignInVault"
            f" again ({again}), or Federated ({federated}), or deploy another environment",
        )
