"""The plan of `deployment finish`."""

from collections.abc import Callable

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.new_roles import NewRoles
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.prepare.missing_registration import LAG_SECONDS
from bot_workbench.admin.migrate.certificate.policy import CertificatePolicy
from bot_workbench.admin.migrate.certificate.registration.app_registration import AppRegistration
from bot_workbench.admin.migrate.certificate.registration.registered_certificate import (
    RegisteredCertificate,
)
from bot_workbench.admin.migrate.certificate.vault.vault_access import VaultAccess
from bot_workbench.admin.migrate.certificate.vault.vault_certificate import VaultCertificate
from bot_workbench.admin.migrate.federated.federated_credential import FederatedCredential
from bot_workbench.admin.migrate.steps.assigned_identity import AssignedIdentity
from bot_workbench.admin.plan.step import Plan, Step
from bot_workbench.credential_kinds import FEDERATED

NOTHING = (
    "the bot is its managed identity, which the template has made: it needs nothing else to sign in"
)

OTHERWISE = (
    "if only its export is missing, choose SignInVault again; else, deploy another environment"
)


def finish_plan(azure: AzureClients, options: DeploymentOptions) -> Plan:
    """The needs of the bot's credential that the template cannot make.

    Args:
        azure: the clients.
        options: name the environment.

    Raises:
        AzureProblem: the deployed resources cannot be found.
    """
    deployed = Deployed(azure, options)
    target, credential = deployed.target, deployed.credential
    shown_at = azure.clock.now() + LAG_SECONDS

    def may_be_new() -> bool:
        """`prepare` may have made the registration moments ago."""
        return azure.clock.now() < shown_at

    notes: tuple[str, ...] = ()
    steps: list[Step] = []
    if credential.has_certificate:
        steps = _certificate(deployed, may_be_new, is_lasting=options.azd)
    elif credential.name == FEDERATED:
        identity = AssignedIdentity(target, deployed.identity().id)
        steps = [FederatedCredential(target, identity, may_be_new)]
    else:
        notes = (NOTHING,)
    roles = NewRoles(azure, deployed)
    if roles.look().waiting:  # only after the deployment that has made them
        steps.append(roles)
    publish = f"func azure functionapp publish {target.site_id.name}"
    return Plan(steps, next_command="" if options.azd else publish, notes=notes)


def _certificate(
    deployed: Deployed, may_be_new: Callable[[], bool], *, is_lasting: bool
) -> list[Step]:
    target, vault = deployed.target, deployed.vault
    policy = CertificatePolicy(exportable=deployed.credential.loads_key)
    return [
        # Each `azd up` reads the certificate, to compare and to prove it.
        VaultAccess(target, vault, writes=lambda: vault.bundle() is None, is_lasting=is_lasting),
        VaultCertificate(vault, policy, otherwise=OTHERWISE),
        RegisteredCertificate(
            AppRegistration(target.azure.graph, target.app_id),
            vault.public,
            vault=vault.vault,
            name=vault.name,
            may_be_new=may_be_new,
        ),
    ]
