"""A role has one name: what a command assigns, the template does not assign under another."""

import uuid

from tests.admin.deployment.conftest import Run
from tests.support.azd.deployment_stage import DeploymentStage


def test_the_template_deploys_again_after_a_command_has_assigned_a_role(
    stage: DeploymentStage, run: Run
) -> None:
    """One identity deploys, another one's command assigns that one's role, and it deploys next.

    azd offers the signed-in identity to a template in both variables (cli/azd/pkg/environment).
    """
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    assert run("prepare", "--azd").status == 0
    stage.azd.set(AZURE_PRINCIPAL_ID=str(uuid.uuid4()), AZURE_PRINCIPAL_TYPE="ServicePrincipal")
    stage.provision()
    assert "Assign Key Vault Certificates Officer" in run("finish", "--azd").output
    stage.azd.set(AZURE_PRINCIPAL_ID=stage.thread.azure.pipeline.object_id)
    stage.provision()
