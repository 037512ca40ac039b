"""VaultAccess: the signed-in account may manage certificates in the vault."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.migrate.certificate.vault.bot_vault import BotVault
from bot_workbench.admin.migrate.steps.role_assignment import (
    KEY_VAULT_CERTIFICATES_OFFICER,
    SERVICE_PRINCIPAL,
    USER,
    RoleAssignment,
    allowing,
)
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

_CLOSED = ("Client address is not authorized", "Public network access is disabled")
"""In Key Vault's refusals by its firewall."""


class VaultAccess:
    """The account may read the vault's certificates, and make one if that is needed.

    Args:
        target: has the clients.
        vault: the vault.
        writes: whether a certificate must be made or imported.
        is_lasting: whether later commands need the role, too, so that nobody should take it back.
    """

    title = "Your access to the vault"

    def __init__(
        self,
        target: Target,
        vault: BotVault,
        writes: Callable[[], bool],
        *,
        is_lasting: bool = False,
    ) -> None:
        self._azure = target.azure
        self._vault = vault
        self._writes = writes
        self._is_lasting = is_lasting

    def look(self) -> Finding:
        """Try to read the certificate, then read the account's roles.

        Raises:
            AzureProblem: the vault's resource or the roles cannot be read.
        """
        name, resource = self._vault.vault, self._vault.resource
        if not self._vault.properties.get("enableRbacAuthorization"):
            return Finding(
                f"the vault {name} uses access policies, not roles",
                refusal=f"roles have no effect in the vault {name}: use a vault of its own for the"
                f" bot's certificate (docs/deploy-by-hand.md, 4.1), or switch this one over (`az"
                f" keyvault update --name {name} --enable-rbac-authorization true`), which ends all"
                " access by its access policies",
            )
        refused = self._refusal_to_read()
        if any(text in refused for text in _CLOSED):
            return Finding(
                f"the vault {name} does not accept calls from this network",
                refusal=f"let this machine through the firewall of the vault {name}: {refused}",
            )
        if not refused and not self._writes():
            return Finding(f"your account can read the certificates of {name}")
        caller, role = self._azure.caller, KEY_VAULT_CERTIFICATES_OFFICER
        granted = allowing(self._azure.arm, resource.id, caller.object_id, role)
        if granted and refused:
            return Finding(f"your role {granted} has no effect yet", waiting=True)
        missing = RoleAssignment(
            self._azure.arm,
            scope=resource.id,
            role=role,
            principal_id=lambda: caller.object_id,
            principal_type=USER if caller.is_user else SERVICE_PRINCIPAL,
            whose="your account",
        ).look()
        return replace(
            missing,
            changes=tuple(map(self._with_wait, missing.changes)),
            notes=() if self._is_lasting else tuple(map(_removal, missing.changes)),
        )

    def _with_wait(self, change: Change) -> Change:
        """The change, whose shell lines also wait until the role has an effect."""
        listing = f"az keyvault certificate list --vault-name {quoted(self._vault.vault)}"
        wait = (
            "for attempt in $(seq 60); do # a new role takes minutes to have an effect",
            f"  {listing} --output none 2> /dev/null && break",
            "  sleep 10",
            "done",
        )
        return replace(change, az=(*change.az, *wait))

    def _refusal_to_read(self) -> str:
        try:
            self._azure.vault.certificate(self._vault.url, self._vault.name)
        except Forbidden as error:
            return str(error)
        return ""


def _removal(change: Change) -> str:
    """The line that takes back a role that is needed only while the command runs."""
    removal = az("role assignment delete", {"--ids": urlsplit(change.url).path})
    return f"your account keeps this role; to take it back when you are done: `{removal}`"
