"""The plan of `deployment finish`."""

import datetime
import math
from collections.abc import Callable
from functools import partial

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.registration import LAG_SECONDS
from bot_workbench.admin.migrate.certificate.app_registration import (
    AppRegistration,
    registered_certificate,
)
from bot_workbench.admin.migrate.certificate.certificates import CertificatePolicy
from bot_workbench.admin.migrate.certificate.key_vault import vault_access, vault_certificate
from bot_workbench.admin.migrate.federated import FederatedCredential
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity
from bot_workbench.admin.migrate.steps.roles import (
    STORAGE_BLOB_DATA_OWNER,
    STORAGE_QUEUE_DATA_CONTRIBUTOR,
    assigned,
)
from bot_workbench.admin.plan.step import Finding, Plan, Step
from bot_workbench.credential_kinds import FEDERATED

NOTHING = (
    "the bot is its managed identity, which the template has made: it needs nothing else to sign in"
)

OTHERWISE = (
    "if only its export is missing, choose SignInVault again; else, deploy another environment"
)

MIN_AGE_SECONDS = 120.0
"""The age at which a role has an effect."""

ROLES = (STORAGE_BLOB_DATA_OWNER.id, STORAGE_QUEUE_DATA_CONTRIBUTOR.id)


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
        federated = FederatedCredential(target, identity, may_be_new)
        steps = [Step(federated.title, federated.look)]
    else:
        notes = (NOTHING,)
    now = azure.clock.now()
    over_at = now + min(MIN_AGE_SECONDS - _age_of_roles(azure, deployed), MIN_AGE_SECONDS)
    if now < over_at:  # only after the deployment that has made them
        look = partial(_new_roles, azure, deployed, over_at)
        steps.append(Step("Age of the app's roles on the storage account", look))
    publish = f"func azure functionapp publish {target.site_id.name}"
    return Plan(steps, next_command="" if options.azd else publish, notes=notes)


def _certificate(
    deployed: Deployed, may_be_new: Callable[[], bool], *, is_lasting: bool
) -> list[Step]:
    target, vault = deployed.target, deployed.vault
    policy = CertificatePolicy(exportable=deployed.credential.loads_key)
    return [
        # Each `azd up` reads the certificate, to compare and to prove it.
        vault_access(vault, writes=lambda: vault.bundle() is None, is_lasting=is_lasting),
        vault_certificate(vault, policy, otherwise=OTHERWISE),
        registered_certificate(
            AppRegistration(target.azure.graph, target.app_id),
            vault.public,
            vault=vault.vault,
            name=vault.name,
            may_be_new=may_be_new,
        ),
    ]


def _new_roles(azure: AzureClients, deployed: Deployed, over_at: float) -> Finding:
    """The newest of the identity's roles on the storage account is two minutes old.

    The app's platform stores a package with the identity. If its role is younger, the first publish
    can end in 403, and azd does not try again (github.com/Azure/azure-dev, issue 8026). Whether a
    role has an effect can only be tried as the identity, so its age must do.

    The age is Azure's time against this machine's, which may be wrong: no wait is longer than if
    the role were made now.
    """
    name, left = deployed.storage.name, over_at - azure.clock.now()
    if left <= 0:
        return Finding(f"the app's identity has had its roles on {name} for two minutes")
    return Finding(
        f"the app's identity got its roles on {name} less than two minutes ago, and Azure may not"
        " apply them yet: to publish now could end in 403 (InaccessibleStorageException)",
        waiting=True,
        seconds=left,
        az=(f"sleep {math.ceil(left)} # until new roles have an effect",),
    )


def _age_of_roles(azure: AzureClients, deployed: Deployed) -> float:
    """Seconds since the newest assignment; infinite if there is none.

    Raises:
        AzureProblem: the app, the account or the assignments cannot be read.
    """
    principal = deployed.identity().principal_id
    made = [
        datetime.datetime.fromisoformat(each["createdOn"])
        for each in assigned(azure.arm, deployed.storage.id, principal)
        if each["roleDefinitionId"].lower().endswith(ROLES)
    ]
    now = azure.clock.utc()
    return min(((now - each).total_seconds() for each in made), default=math.inf)
