"""The scripts that dry runs print, in a shell with the real Azure CLI."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.project import ROOT

AZ = ROOT / ".cache" / "az" / "bin"
WORKLOAD = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")

pytestmark = [
    pytest.mark.az,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not AZ.exists(), reason="no Azure CLI: make runbooks installs it"),
]

Shell = Callable[[str], str]


@pytest.fixture
def shell(stage: DeploymentStage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """A shell in which the pipeline has signed in with `az login`."""
    environ = stage.thread.azure.environ
    monkeypatch.setenv("PATH", f"{AZ}:{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "false")
    (tmp_path / "shell").mkdir()

    def run(script: str) -> str:
        ended = subprocess.run(
            ["bash", "-c", script],  # noqa: S607  # as people start it
            cwd=tmp_path / "shell",
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    client, tenant, file = (environ[name] for name in WORKLOAD)
    token = Path(file).read_text("utf-8")
    run(
        "az login --service-principal --output none"
        f" --federated-token {token} --username {client} --tenant {tenant}"
    )
    return run


@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_dry_runs_can_be_pasted(
    stage: DeploymentStage, run: Run, shell: Shell, credential: str
) -> None:
    """The script does what the command would have done; the command then finds it done."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    stage.thread.azure.resource_manager.tenant.registered.discard("microsoft.web")

    def paste(command: str) -> None:
        shell(run(command, "--azd", "--dry-run").output)
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
