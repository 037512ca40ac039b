"""`azd up` and `azd down`, played: azd's hooks run, the template is evaluated, and the app runs
with the settings that it gets from there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.local_azure import PROCESSES
from tests.support.azd.deployment_stage import SITES, DeploymentStage
from tests.support.azd.hooks import Hooks
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.talker import Talker

pytestmark = pytest.mark.timeout(600)  # several programs, one after the other

CREDENTIALS = ("ManagedIdentity", "SignInVault", "Certificate", "Federated")
BOTS = "Microsoft.BotService/botServices"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[DeploymentStage]:
    """A subscription in which changes take a while to be known everywhere; here it is seconds."""
    with AzureThread(tmp_path, PROCESSES) as thread:
        azure = thread.azure
        propagation = azure.directory.propagation
        propagation.certificate = propagation.federated = 3.0
        propagation.graph = 0.5
        azure.resource_manager.access.lag = 2.0
        azure.resource_manager.catalog.assignments.directory_lag = 1.0
        yield DeploymentStage(thread, tmp_path)


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_up_and_down(stage: DeploymentStage, credential: str) -> None:
    """A bot answers a user after `azd up`, and nothing is left of it after `azd down`."""
    before = len(stage.thread.azure.directory.registrations)
    stage.azd.set(BOT_CREDENTIAL=credential)
    hooks = Hooks(stage.thread.azure, stage.azd)

    def run(event: str) -> None:
        ended = hooks.run(event)
        print(f"$ azd hook {event}\n{ended.output}")
        assert ended.status == 0

    run("preprovision")
    outputs = stage.provision()
    run("postprovision")
    stage.deploy()
    stage.thread.settle(stage.one(SITES).name)
    run("postdeploy")

    said = Talker(stage.thread, stage.one(BOTS).name).say("hello")
    assert said.ok, said
    calls = stage.thread.azure.channels[stage.one(BOTS).name.lower()].connector.calls
    assert calls[-1].verified
    assert calls[-1].appid == outputs["BOT_ID"]

    stage.delete()
    run("postdown")
    assert len(stage.thread.azure.directory.registrations) == before
    assert not stage.azd.values.get("BOT_APP_ID")
