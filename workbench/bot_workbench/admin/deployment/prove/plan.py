"""The plan of `deployment prove`."""

from collections.abc import Mapping
from pathlib import Path

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.prove.bot_channel import BotEndpoint, TeamsChannel
from bot_workbench.admin.deployment.prove.healthy_app import HealthyApp
from bot_workbench.admin.deployment.prove.refused_caller import RefusedCaller
from bot_workbench.admin.deployment.prove.served_package import ServedPackage, notes_of
from bot_workbench.admin.deployment.prove.storage_roles import StorageRoles
from bot_workbench.admin.migrate.steps.proven_sign_in import ProvenSignIn
from bot_workbench.admin.plan.step import Plan
from bot_workbench.project import APP

PACKAGE = APP / "artifacts" / "package.zip"
"""The package that azd sends, as a zip: made together with the folder that azure.yaml names."""

APP_PACKAGE = "make app-package"
"""Makes the app for Teams."""

IF_SLOW = (
    "Entra takes some minutes to accept a new credential, and Azure as long for a new role; the"
    " app's log says what is missing. If the vault has renewed the certificate, complete that with"
    " `bot migrate certificate rotate`"
)


def prove_plan(
    azure: AzureClients, options: DeploymentOptions, package: Path | None = None
) -> Plan:
    """The conditions under which users get answers, and nobody else does.

    Args:
        azure: the clients.
        options: name the environment.
        package: the zip that was sent; None: azd's, if azd runs the command, else nothing is known
            of it.

    Raises:
        AzureProblem: the deployed resources cannot be found.
    """
    deployed = Deployed(azure, options)
    target = deployed.target
    sent = package or (PACKAGE if options.azd else None)
    served = [ServedPackage(target, sent, is_named=package is not None)] if sent else []
    return Plan(
        (
            *served,
            BotEndpoint(target),
            TeamsChannel(target),
            HealthyApp(target),
            ProvenSignIn(target, lambda: _expected(deployed), if_slow=IF_SLOW),
            RefusedCaller(target),
            StorageRoles(azure.arm, deployed),
        ),
        next_command=APP_PACKAGE,
        notes=notes_of(sent) if sent else (),
    )


def _expected(deployed: Deployed) -> Mapping[str, str]:
    credential = deployed.credential
    expected = {"kind": credential.name, "appId": deployed.target.app_id}
    certificate = deployed.vault.public() if credential.has_certificate else None
    if certificate is not None:
        expected["certificateThumbprint"] = certificate.thumbprint
    return expected
