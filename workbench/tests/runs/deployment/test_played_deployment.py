"""The deployment, played: template, resources, credential, package, and a bot that answers.

Resource Manager, Entra, Graph, the vault, storage and the channel are stand-ins under Azure's own
names. The app runs from its package alone, with exactly the settings that the template gives it,
and with what Azure sets.
"""

import platform
import sys
from pathlib import Path

import pytest

from bot_workbench.credential_kinds import KINDS
from tests.runs.deployment.played_deployment import PlayedDeployment
from tests.support.azure.azure_thread import AzureThread
from tests.support.timing.condition import until


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the package is for Linux"
)
@pytest.mark.parametrize("turns", ["Inline", "Queued"])
@pytest.mark.parametrize("credential", list(KINDS))
def test_a_deployed_bot_answers(credential: str, turns: str, packed: Path, tmp_path: Path) -> None:
    """With each credential and kind of turns, what the template declares makes a bot that works."""
    with AzureThread(tmp_path) as thread:
        deployment = PlayedDeployment(thread, tmp_path, credential, turns)
        deployment.provision()
        with deployment.running(packed):
            said = deployment.say("hello")
            assert said.replies == ("You said: hello",), deployment.log
            assert said.status == (202 if turns == "Queued" else 200)
            assert deployment.get("/api/health")[0] == 200
            facts = deployment.identity()
            assert facts["kind"] == credential
            assert facts["appId"] == deployment.outputs["BOT_ID"]
            # The user has the reply a moment before the bot knows that its call succeeded.
            until(lambda: bool(deployment.identity()["lastOutboundCall"]))
            assert deployment.post("/api/messages", {"type": "message"}) == 401
            deployment.prove(packed.with_suffix(".zip"))
