"""The plan of `migrate certificate`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from bot_workbench.admin.migrate.certificate.certificate_file import CertificateFile
from bot_workbench.admin.migrate.certificate.other_runs import (
    IfAnotherRan,
    OtherRuns,
    RememberingVersions,
)
from bot_workbench.admin.migrate.certificate.policy import CertificatePolicy
from bot_workbench.admin.migrate.certificate.registration.app_registration import AppRegistration
from bot_workbench.admin.migrate.certificate.registration.registered_certificate import (
    RegisteredCertificate,
)
from bot_workbench.admin.migrate.certificate.registration.withdrawn_certificates import (
    WithdrawnCertificates,
)
from bot_workbench.admin.migrate.certificate.restarted_app import RestartedApp, thumbprint_in_use
from bot_workbench.admin.migrate.certificate.vault.bot_vault import BotVault
from bot_workbench.admin.migrate.certificate.vault.vault_access import VaultAccess
from bot_workbench.admin.migrate.certificate.vault.vault_certificate import VaultCertificate
from bot_workbench.admin.migrate.steps.app_settings import AppSettings
from bot_workbench.admin.migrate.steps.assigned_identity import AssignedIdentity, identity_in_use
from bot_workbench.admin.migrate.steps.bot_settings import (
    bot_settings,
    credential_plan,
    question_if_live,
)
from bot_workbench.admin.migrate.steps.bot_type import NO_REGISTRATION, BotType
from bot_workbench.admin.migrate.steps.deployed_code import DeployedCode
from bot_workbench.admin.migrate.steps.proven_sign_in import ProvenSignIn
from bot_workbench.admin.migrate.steps.role_assignment import vault_roles
from bot_workbench.admin.migrate.steps.unclaimed_app import UnclaimedApp
from bot_workbench.admin.plan.setting_names import setting
from bot_workbench.admin.plan.step import Plan, Step
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI, CredentialKind

PIN = "CertificateThumbprint"

IF_SLOW = (
    "Entra takes some minutes to accept a new credential, and Azure as long for a new role; the"
    " app's log says what is missing (AADSTS700027: the certificate is not accepted yet)"
)


@dataclass(frozen=True)
class CertificateRoute:
    """The certificate route for one bot.

    Args:
        target: the bot and the Function App.
        vault: the vault and the certificate's name.
        kind: one with a certificate.
        file: a certificate to import; None: the vault makes one.
        identity_name: of the app's identity; empty: the one that it uses, or a new one.
    """

    target: Target
    vault: BotVault
    kind: CredentialKind
    file: CertificateFile | None = None
    identity_name: str = ""

    def plan(self) -> Plan:
        """The steps, in an order in which the bot never uses what is not ready.

        Raises:
            AzureProblem: the bot or the app cannot be found.
        """
        return credential_plan(self.target, self._steps())

    def _steps(self) -> list[Step]:
        target, vault = self.target, self.vault
        identity = AssignedIdentity(target, self.identity_name or identity_in_use(target))
        policy = CertificatePolicy(exportable=self.kind.loads_key)
        runs = OtherRuns(vault)
        made: Step = VaultCertificate(vault, policy, self.file)
        if not target.options.dry_run:
            made = RememberingVersions(runs, made)
        return [
            BotType(target, {USER_ASSIGNED_MSI: NO_REGISTRATION}),
            DeployedCode(target),
            UnclaimedApp(target, lambda: {target.app_id}),
            identity,
            VaultAccess(target, vault, writes=lambda: vault.bundle() is None),
            made,
            RegisteredCertificate(
                AppRegistration(target.azure.graph, target.app_id),
                vault.public,
                vault=vault.vault,
                name=vault.name,
            ),
            *vault_roles(
                target.azure.arm,
                vault_id=vault.resource.id,
                certificate=vault.name,
                kind=self.kind,
                principal_id=identity.principal_id,
                whose="the app's identity",
                identity_id=identity.resource_id,
            ),
            AppSettings(
                target,
                lambda current: self._settings(current, identity),
                REPLACED,
                question=lambda: question_if_live(target, self._expected()),
            ),
            *(() if target.options.dry_run else (self._restarted(runs),)),
            ProvenSignIn(target, self._expected, if_slow=IF_SLOW),
            *(() if target.options.dry_run else (self._withdrawn(runs),)),
        ]

    def _restarted(self, runs: OtherRuns) -> Step:
        """An app that has signed in with the other version keeps its token for an hour."""
        in_use = partial(thumbprint_in_use, self.target)
        restarted = RestartedApp(self.target, self._thumbprint, in_use)
        return IfAnotherRan(runs, restarted)

    def _withdrawn(self, runs: OtherRuns) -> Step:
        registration = AppRegistration(self.target.azure.graph, self.target.app_id)
        withdrawn = WithdrawnCertificates(
            registration,
            self.vault,
            self._thumbprint,
            partial(thumbprint_in_use, self.target),
            dry_run=False,
            kept=lambda: runs.found,
        )
        return IfAnotherRan(runs, withdrawn)

    def _thumbprint(self) -> str:
        certificate = self.vault.public()
        return certificate.thumbprint if certificate else "$THUMBPRINT"

    def _expected(self) -> Mapping[str, str]:
        return {
            "kind": self.kind.name,
            "appId": self.target.app_id,
            "certificateThumbprint": self._thumbprint(),
        }

    def _settings(self, current: Mapping[str, str], identity: AssignedIdentity) -> dict[str, str]:
        return {
            **bot_settings(self.target, self.kind.name),
            "AZURE_CLIENT_ID": identity.client_id(),
            "CertificateVaultUrl": self.vault.url,
            "CertificateName": self.vault.name,
            **extended_pin(current, self._thumbprint()),
        }


REPLACED = ("CertificatePath",)
"""A file, which the bot does not accept beside a vault."""


def extended_pin(current: Mapping[str, str], thumbprint: str) -> dict[str, str]:
    """The setting that allows certificates by their thumbprints, if it is set, with one more."""
    pin = setting(current, PIN).strip()
    allowed = {re.sub("[^0-9A-F]", "", each.upper()) for each in pin.split(",")}
    if not pin:
        return {}
    return {PIN: pin if thumbprint in allowed else f"{pin},{thumbprint}"}
