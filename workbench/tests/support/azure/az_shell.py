"""AzShell: a shell with the real Azure CLI, signed in to the local Azure."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.project import ROOT

AZ = ROOT / ".cache" / "az" / "bin"
WITH_AZ = (
    pytest.mark.az,
    pytest.mark.skipif(not AZ.exists(), reason="no Azure CLI: make runbooks installs it"),
)
"""Marks of the tests that use it."""

WORKLOAD = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")


class AzShell:
    """Runs scripts in this process's environment, which reaches the local Azure.

    Args:
        monkeypatch: puts the Azure CLI into the environment.
        folder: where the scripts run.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path = ROOT) -> None:
        monkeypatch.setenv("PATH", f"{AZ}:{os.environ['PATH']}")
        monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "false")
        self._folder = folder

    def sign_in_pipeline(self, environ: dict[str, str]) -> None:
        """Sign in with a pipeline's federated token.

        Args:
            environ: the environment variables of WORKLOAD.
        """
        client, tenant, file = (environ[name] for name in WORKLOAD)
        token = Path(file).read_text("utf-8")
        self.run(
            "az login --service-principal --output none"
            f" --federated-token {token} --username {client} --tenant {tenant}"
        )

    def sign_in_user(self) -> None:
        """Sign in as the directory's user."""
        self.run("az login --use-device-code --output none")

    def run(self, script: str) -> str:
        """Run a script in which the first question is answered with yes; returns what it printed.

        Raises:
            AssertionError: it failed.
        """
        ended = subprocess.run(
            ["bash", "-c", script],  # noqa: S607  # as people start it
            cwd=self._folder,
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}{ended.stderr}"
        return ended.stdout
