"""The scripts that dry runs print, in a shell with the real Azure CLI."""

from pathlib import Path

import pytest

from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azure.az_shell import WITH_AZ, AzShell

pytestmark = [*WITH_AZ, pytest.mark.timeout(600)]


@pytest.fixture
def shell(stage: DeploymentStage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AzShell:
    """A shell in which the pipeline has signed in with `az login`."""
    (tmp_path / "shell").mkdir()
    shell = AzShell(monkeypatch, tmp_path / "shell")
    shell.sign_in_pipeline(stage.thread.azure.environ)
    return shell


@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_dry_runs_can_be_pasted(
    stage: DeploymentStage, run: Run, shell: AzShell, credential: str
) -> None:
    """The script does what the command would have done; the command then finds it done."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    stage.thread.azure.resource_manager.tenant.registered.discard("microsoft.web")

    def paste(command: str) -> None:
        shell.run(run(command, "--azd", "--dry-run").output)
        found = run(command, "--azd", "--yes", "--json").json
        assert not any(step["changes"] for step in found["steps"]), found

    paste("prepare")
    assert registrations(stage) == [stage.azd.values["BOT_APP_ID"]]
    stage.provision()
    paste("finish")
    stage.deploy()
    assert run("prove", "--azd").status == 0
    stage.delete()
    paste("remove")
    assert registrations(stage) == []
