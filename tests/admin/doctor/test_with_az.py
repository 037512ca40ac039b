"""The doctor's cures, pasted into a shell with the real Azure CLI: the finding is gone."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.admin.doctor.defects import DEFECTS
from tests.admin.doctor.examined_bot import CERTIFICATE, FEDERATED, ExaminedBot
from tests.support.project import ROOT

AZ = ROOT / ".cache" / "az" / "bin"

PASTED = {
    "setting-password",
    "setting-reference",
    "identity-unknown",
    "role-missing",
    "role-too-wide",
    "storage-shared-keys",
    "vault-purge-protection",
    "insights-local-auth",
    "endpoint-wrong",
    "teams-missing",
    "teams-terms",
    "tls-version",
    "web-chat-off",
    "https-only",
    "basic-publishing",
}
"""Codes whose cures are whole commands, one of each kind. The others name something that only the
reader knows, or do the same to another property."""

pytestmark = [
    pytest.mark.az,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not AZ.exists(), reason="no Azure CLI: make runbooks installs it"),
]

Paste = Callable[[str], None]


@pytest.fixture
def paste(bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch) -> Paste:
    """Runs a command in a shell in which the pipeline has signed in with `az login`."""
    monkeypatch.setenv("PATH", f"{AZ}:{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "false")
    environ = bot.azure.environ

    def run(script: str) -> None:
        ended = subprocess.run(
            ["bash", "-c", script],  # noqa: S607  # as people start it
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}{ended.stderr}"

    token = Path(environ["AZURE_FEDERATED_TOKEN_FILE"]).read_text("utf-8")
    run(
        "az login --service-principal --output none"
        f" --federated-token {token} --tenant {environ['AZURE_TENANT_ID']}"
        f" --username {environ['AZURE_CLIENT_ID']}"
    )
    return run


@pytest.mark.parametrize("credential", [CERTIFICATE, FEDERATED])
def test_cures_can_be_pasted(bot: ExaminedBot, paste: Paste, credential: str) -> None:
    """One defect after the other: it is found, its cure is pasted, and nothing is found."""
    pasted = [each for each in DEFECTS if each.code in PASTED and each.credential == credential]
    assert pasted
    for defect in pasted:
        defect.harm(bot)
        (found,) = bot.findings()
        assert found["code"] == defect.code
        paste(found["cure"])
        assert bot.findings() == [], found
