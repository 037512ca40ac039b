"""A deployment from the first command to the last, with each credential."""

import pytest

from bot_workbench.credential_kinds import KINDS
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage


@pytest.mark.parametrize("credential", KINDS)
def test_from_nothing_to_a_proven_bot_and_back(
    stage: DeploymentStage, run: Run, credential: str
) -> None:
    """Each command ends with 0, the bot signs in, and nothing is left of the registration."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    for command in ("prepare", "finish", "prove", "remove"):
        ended = run(command, "--azd", "--yes")
        assert ended.status == 0, f"{command}\n{ended.output}{ended.errors}"
        if command == "prepare":
            stage.provision()
        elif command == "finish":
            stage.deploy()
        elif command == "prove":
            stage.delete()
    assert registrations(stage) == []
