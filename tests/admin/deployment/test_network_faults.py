"""Each write of each command meets a fault of the network, and one run ends as if it had not."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from emulator.faults import Handler
from emulator.local_azure import GRAPH, RESOURCE_MANAGER
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage

Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
READS = ("/list", "/listkeys")


async def throttled(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
    """Not done: the service asks to wait."""
    body = {"error": {"code": "TooManyRequests", "message": "Wait."}}
    return web.json_response(body, status=429, headers={"Retry-After": "7"})


async def failed_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Done, but a gateway says that it was not."""
    await handler(request)
    return web.Response(status=502, text="<html>Bad gateway</html>")


async def reset_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Done, but the connection breaks before the answer."""
    await handler(request)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def meet(stage: DeploymentStage, fault: Fault) -> list[str]:
    """Let each write meet a fault once; returns those that have."""
    azure, hit = stage.thread.azure, list[str]()

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        write = f"{request.method} {request.path}"
        if request.method == "GET" or request.path.lower().endswith(READS) or write in hit:
            return await handler(request)
        hit.append(write)
        return await fault(request, handler)

    servers = [azure.servers[GRAPH], azure.servers[RESOURCE_MANAGER]]
    for server in (*servers, *(vault.server for vault in azure.vaults.values())):
        server.around = around
    return hit


@pytest.mark.parametrize("fault", [throttled, failed_after, reset_after])
@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_each_write_meets_a_fault(
    stage: DeploymentStage, run: Run, credential: str, fault: Fault
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
