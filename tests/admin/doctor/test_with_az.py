"""The doctor's cures, pasted into a shell with the real Azure CLI: the finding is gone."""

import pytest

from tests.admin.doctor.defects import DEFECTS
from tests.admin.doctor.examined_bot import CERTIFICATE, FEDERATED, ExaminedBot
from tests.support.azure.az_shell import WITH_AZ, AzShell

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

pytestmark = [*WITH_AZ, pytest.mark.timeout(900)]


@pytest.fixture
def shell(bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch) -> AzShell:
    """A shell in which the pipeline has signed in with `az login`."""
    shell = AzShell(monkeypatch)
    shell.sign_in_pipeline(bot.azure.environ)
    return shell


@pytest.mark.parametrize("credential", [CERTIFICATE, FEDERATED])
def test_cures_can_be_pasted(bot: ExaminedBot, shell: AzShell, credential: str) -> None:
    """One defect after the other: it is found, its cure is pasted, and nothing is found."""
    pasted = [each for each in DEFECTS if each.code in PASTED and each.credential == credential]
    assert pasted
    for defect in pasted:
        defect.harm(bot)
        (found,) = bot.findings()
        assert found["code"] == defect.code
        shell.run(found["cure"])
        assert bot.findings() == [], found
