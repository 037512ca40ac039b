"""`deployment prepare` in a subscription that has not used the template's providers before."""

import re

import pytest
from aiohttp import web

from bot_workbench.admin.deployment.prepare import PROVIDERS, VAULT_PROVIDER
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import RESOURCE_MANAGER
from tests.admin.deployment.conftest import Run
from tests.support.azd.deployment_stage import DeploymentStage

READ = re.compile(
    r"/subscriptions/[^/]+/(?:resourceGroups/[^/]+/)?providers/([\w.]+)/\w", re.IGNORECASE
)
"""What a provider answers itself, or Resource Manager in its place."""


@pytest.fixture
def registered(stage: DeploymentStage) -> set[str]:
    """The registered providers, none of the template's; the others refuse reads, too."""
    found = stage.thread.azure.resource_manager.tenant.registered
    found -= {each.lower() for each in (*PROVIDERS, VAULT_PROVIDER)}

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = READ.match(request.path) if request.method == "GET" else None
        if asked and asked[1].lower() not in found:
            error = {"code": "MissingSubscriptionRegistration", "message": "Register it."}
            return web.json_response({"error": error}, status=409)
        return await handler(request)

    stage.thread.azure.servers[RESOURCE_MANAGER].around = around
    return found


@pytest.mark.parametrize("credential", ["ManagedIdentity", "SignInVault", "Federated"])
def test_providers_are_registered_before_they_are_asked(
    stage: DeploymentStage, run: Run, registered: set[str], credential: str
) -> None:
    """The first command in a new subscription does not fail."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    ended = run("prepare", "--azd")
    assert ended.status == 0, ended.output + ended.errors
    assert registered >= {each.lower() for each in PROVIDERS}


@pytest.mark.parametrize("credential", ["ManagedIdentity", "SignInVault", "Federated"])
def test_a_dry_run_says_what_it_cannot_ask_yet(
    stage: DeploymentStage, run: Run, registered: set[str], credential: str
) -> None:
    """It registers nothing, so the regions are unknown; what else is asked for does not exist."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    before = set(registered)
    ended = run("prepare", "--azd", "--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    assert "az provider register" in ended.output
    assert "regions can be read once the subscription has registered" in ended.output
    assert registered == before


def test_missing_providers_are_registered(stage: DeploymentStage, run: Run) -> None:
    """Only those that the credential needs."""
    registered = stage.thread.azure.resource_manager.tenant.registered
    registered -= {"microsoft.web", "microsoft.keyvault"}
    assert run("prepare", "--azd").status == 0
    assert "microsoft.web" in registered
    assert "microsoft.keyvault" not in registered
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    assert run("prepare", "--azd").status == 0
    assert "microsoft.keyvault" in registered


@pytest.mark.usefixtures("registered")
def test_there_is_nothing_to_prove_yet(run: Run) -> None:
    """The text says what to deploy, and not what is registered."""
    ended = run("prove", "--azd")
    assert ended.status == 1
    assert "run `azd provision --no-state`, then `azd deploy`" in ended.errors


def test_another_conflict_is_no_answer(stage: DeploymentStage, run: Run) -> None:
    """Only a provider that is not registered has no resources: no other refusal means that."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    stage.refuse("/deletedVaults", 409, "Conflict", "Something else.")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "Something else." in ended.errors
