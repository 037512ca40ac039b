"""Each write of each command meets a fault of the network, and one run ends as if it had not."""

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azure.network_faults import failed_after, reset_after, throttled
from tests.support.azure.writes import Interference, interfere_with_writes


def meet(stage: DeploymentStage, fault: Interference) -> list[str]:
    """Let each write meet a fault once; returns those that have."""
    hit = list[str]()

    async def interfere(request: web.Request, handler: Handler) -> web.StreamResponse:
        write = f"{request.method} {request.path}"
        if write in hit:
            return await handler(request)
        hit.append(write)
        return await fault(request, handler)

    interfere_with_writes(stage.thread.azure, interfere)
    return hit


@pytest.mark.parametrize("fault", [throttled, failed_after, reset_after])
@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_each_write_meets_a_fault(
    stage: DeploymentStage, run: Run, credential: str, fault: Interference
) -> None:
    """One registration, which the bot signs in with, and nothing is left of it at the end."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    stage.thread.azure.resource_manager.tenant.registered.discard("microsoft.web")
    hit = meet(stage, fault)
    assert run("prepare", "--azd").status == 0
    assert len(hit) == 3
    assert registrations(stage) == [stage.azd.values["BOT_APP_ID"]]
    stage.provision()
    hit = meet(stage, fault)
    assert run("finish", "--azd").status == 0
    assert hit
    stage.deploy()
    assert run("prove", "--azd").status == 0
    stage.delete()
    hit = meet(stage, fault)
    assert run("remove", "--azd", "--yes").status == 0
    assert len(hit) == 1
    assert registrations(stage) == []
