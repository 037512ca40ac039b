"""A bot that calls the models of an Azure OpenAI resource: its role, from `prepare` to `remove`."""

import re
import shlex
import subprocess
import uuid

import pytest
from aiohttp import web

from bot_workbench.admin.plan.shell import on_one_line
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import GRAPH, RESOURCE_MANAGER
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.resource_manager.resource_type import Subscription
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage

ROLES = "Microsoft.Authorization/roleAssignments"
CHAT = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
OTHERS = ("Certificate", "SignInVault", "Federated")


@pytest.fixture
def models(stage: DeploymentStage) -> str:
    """An Azure OpenAI resource in another subscription, which `azd` names."""
    manager = stage.thread.azure.resource_manager
    other = Subscription()
    manager.tenant.subscriptions.append(other)
    account = (
        f"/subscriptions/{other.id}/resourceGroups/models/providers"
        "/Microsoft.CognitiveServices/accounts/contoso-models"
    )
    body = {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    stage.thread.call(manager.put, account, body)
    stage.azd.set(BOT_OPENAI_RESOURCE_ID=account)
    return account


def on(stage: DeploymentStage, models: str) -> list[Resource]:
    """The role assignments on the resource."""
    found = stage.thread.azure.resource_manager.resources.of_type(ROLES)
    return [each for each in found if each.properties["scope"].lower() == models.lower()]


def bot_principal(stage: DeploymentStage, app_id: str) -> str:
    """The object id of an app registration's service principal."""
    found = stage.thread.azure.directory.find(app_id)
    assert found is not None
    return found.service_principal_id


def test_the_identity_gets_the_role(stage: DeploymentStage, run: Run, models: str) -> None:
    """The template knows its principal: `prepare` stores nothing."""
    assert run("prepare", "--azd").status == 0
    assert "BOT_PRINCIPAL_ID" not in stage.azd.values
    stage.provision()
    identity = stage.one("Microsoft.ManagedIdentity/userAssignedIdentities")
    (role,) = on(stage, models)
    assert role.properties["principalId"] == identity.properties["principalId"]
    access = stage.thread.azure.resource_manager.access
    assert access.is_data_allowed(role.properties["principalId"], CHAT, models)


@pytest.mark.parametrize("credential", OTHERS)
def test_the_service_principal_gets_the_role(
    stage: DeploymentStage, run: Run, models: str, credential: str
) -> None:
    """The bot signs in as the app registration, and not as the identity that proves it."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    stage.provision()
    (role,) = on(stage, models)
    principal = bot_principal(stage, stage.azd.values["BOT_APP_ID"])
    assert role.properties["principalId"] == stage.azd.values["BOT_PRINCIPAL_ID"] == principal


def test_deployed_again_the_role_is_the_same(stage: DeploymentStage, run: Run, models: str) -> None:
    """Also if the id is spelled differently."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    first = on(stage, models)
    stage.azd.set(BOT_OPENAI_RESOURCE_ID=models.upper().replace("/PROVIDERS", "/providers"))
    assert run("prepare", "--azd").status == 0
    stage.provision()
    assert on(stage, models) == first


def test_without_models_the_principal_is_not_spoken_of(stage: DeploymentStage, run: Run) -> None:
    """Who has no models passes no parameter for them."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    assert "BOT_PRINCIPAL_ID" not in stage.azd.values
    assert "botPrincipalId" not in run("prepare").output


def test_without_azd_the_parameters_are_printed(
    stage: DeploymentStage, run: Run, models: str
) -> None:
    """The resource in the command, the principal among those that the step has found."""
    ended = run("prepare", "--credential", "Federated", "--openai-resource-id", models)
    assert ended.status == 0
    (made,) = registrations(stage)
    assert f"botPrincipalId={bot_principal(stage, made)}" in ended.output
    assert f"openaiResourceId={models}" in ended.output
    assert "BOT_PRINCIPAL_ID" not in stage.azd.values


@pytest.mark.usefixtures("models")
def test_a_dry_run_reads_the_principal_from_the_answer(stage: DeploymentStage, run: Run) -> None:
    """There is none yet: the script stores what the line before has made."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    script = run("prepare", "--azd", "--dry-run").output
    assert "BOT_PRINCIPAL_ID=$(az rest --method POST" in script
    assert '"BOT_PRINCIPAL_ID=$BOT_PRINCIPAL_ID"' in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607 - any bash
    assert registrations(stage) == []


@pytest.mark.usefixtures("models")
def test_a_principal_that_was_seen_is_not_asked_for_again(stage: DeploymentStage, run: Run) -> None:
    """Graph's replicas answer in turn, and one that lags would say that there is none."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    seen: list[str] = []

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_read = request.method == "GET" and "/servicePrincipals(" in request.path
        if is_read and seen:
            error = {"code": "Request_ResourceNotFound", "message": "It does not exist."}
            return web.json_response({"error": error}, status=404)
        response = await handler(request)
        if is_read and response.status == 200:
            seen.append(request.path)
        return response

    stage.thread.azure.servers[GRAPH].around = around
    assert run("prepare", "--azd").status == 0
    principal = bot_principal(stage, stage.azd.values["BOT_APP_ID"])
    assert stage.azd.values["BOT_PRINCIPAL_ID"] == principal


def test_a_missing_resource_is_refused(stage: DeploymentStage, run: Run, models: str) -> None:
    """Before anything is made, with the command that lists those that are there."""
    stage.azd.set(BOT_CREDENTIAL="Federated", BOT_OPENAI_RESOURCE_ID=f"{models}-old")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"there is no resource {models}-old" in ended.output
    assert "az cognitiveservices account list" in ended.output
    assert "`azd env set BOT_OPENAI_RESOURCE_ID /subscriptions/GUID/" in ended.output
    assert registrations(stage) == []


def test_a_resource_that_may_not_be_read_names_the_role(
    stage: DeploymentStage, run: Run, models: str
) -> None:
    """It is that of another team."""
    refuse(stage, "GET", models)
    ended = run("prepare", "--azd")
    assert ended.status == 3
    assert f"Administrator, on the resource group of {models}" in ended.errors


def refuse(stage: DeploymentStage, method: str, part: str) -> None:
    """Let Resource Manager refuse calls whose path has a part, as to an account without a role."""

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == method and part in request.path:
            error = {"code": "AuthorizationFailed", "message": "No authorization."}
            return web.json_response({"error": error}, status=403)
        return await handler(request)

    stage.thread.azure.servers[RESOURCE_MANAGER].around = around


@pytest.mark.parametrize("credential", ["ManagedIdentity", "Federated"])
def test_remove_deletes_the_role(
    stage: DeploymentStage, run: Run, models: str, credential: str
) -> None:
    """`azd down` leaves it, for an identity that nobody knows any more; others' roles stay."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    stage.provision()
    (own,) = on(stage, models)
    others = [assign(stage, models, own, text) for text in ("", "azd-env:other/contoso-bot")]
    stage.delete()
    ended = run("remove", "--azd", "--yes")
    assert ended.status == 0
    assert "Delete the assignment of Cognitive Services OpenAI User" in ended.output
    assert [each.id for each in on(stage, models)] == others
    assert "Delete the assignment" not in run("remove", "--azd", "--yes").output


def assign(stage: DeploymentStage, models: str, role: Resource, description: str) -> str:
    """Give the role to somebody else, and return the assignment's id."""
    properties = {
        "roleDefinitionId": role.properties["roleDefinitionId"],
        "principalId": str(uuid.uuid4()),
        "principalType": "ServicePrincipal",
        "description": description,
    }
    path = f"{models}/providers/{ROLES}/{uuid.uuid4()}"
    manager = stage.thread.azure.resource_manager
    return stage.thread.call(manager.put, path, {"properties": properties}).id


def test_the_line_that_deletes_the_role_is_shown(
    stage: DeploymentStage, run: Run, models: str
) -> None:
    """In a dry run, for who wants to do it by hand."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    (role,) = on(stage, models)
    ended = run("remove", "--dry-run", "--openai-resource-id", models)
    [line] = re.findall("az role assignment delete .*", on_one_line(ended.output))
    assert role.id in shlex.split(line)
    assert on(stage, models) == [role]


def test_a_deleted_resource_has_no_role_left(stage: DeploymentStage, run: Run, models: str) -> None:
    """It may go before the bot."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    stage.thread.call(stage.thread.azure.resource_manager.resources.remove, models)
    ended = run("remove", "--azd", "--yes")
    assert ended.status == 0
    assert "contoso-models has no role" in ended.output


@pytest.mark.usefixtures("models")
def test_a_role_that_may_not_be_deleted_is_no_silent_end(stage: DeploymentStage, run: Run) -> None:
    """The registration is deleted all the same."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    refuse(stage, "DELETE", "/roleAssignments/")
    assert run("remove", "--azd", "--yes").status == 3
    assert registrations(stage) == []


def test_a_choice_that_is_only_missing_is_refused(
    stage: DeploymentStage, run: Run, models: str
) -> None:
    """On another machine; `none` takes the resource away, and the role stays."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.azd.set(BOT_OPENAI_RESOURCE_ID="")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"`azd env set BOT_OPENAI_RESOURCE_ID {models}`" in ended.output
    assert "`azd env set BOT_OPENAI_RESOURCE_ID none`" in ended.output
    stage.azd.set(BOT_OPENAI_RESOURCE_ID="none")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    assert len(on(stage, models)) == 1
    stage.azd.set(BOT_OPENAI_RESOURCE_ID="")
    assert run("prepare", "--azd").status == 0
