"""`deployment prove`: everything that must be so, and what it says if it is not."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import web
from cryptography.x509 import load_pem_x509_certificate

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import SITES as SITES_NAME
from tests.admin.deployment.conftest import Run
from tests.support.azd.deployment_stage import SITES, DeploymentStage
from tests.support.credentials.bot_certificate import thumbprint

BOTS = "Microsoft.BotService/botServices"
ROLES = "Microsoft.Authorization/roleAssignments"
BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
ACCOUNT = "AzureWebJobsStorage__accountName"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
QUEUE_MESSAGES = "queueServices/queues/messages"


def answer(stage: DeploymentStage, path: str, status: int, **headers: str) -> None:
    """Let the app answer a path with a status."""

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == path:
            return web.Response(status=status, headers=headers)
        return await handler(request)

    stage.thread.azure.servers[SITES_NAME].around = around


def without_role(role: str) -> Callable[[DeploymentStage], None]:
    """Take a role away from the app's identity."""

    def take(stage: DeploymentStage) -> None:
        resources = stage.thread.azure.resource_manager.resources
        for each in stage.all(ROLES):
            if each.properties["roleDefinitionId"].endswith(role):
                stage.thread.call(resources.remove, each.id)

    return take


def moved(stage: DeploymentStage) -> None:
    """Another app gets the users' messages."""
    stage.one(BOTS).properties["endpoint"] = "https://elsewhere.example/api/messages"


def misspelt(stage: DeploymentStage) -> None:
    """The endpoint is the app's, but not that of its messages."""
    properties = stage.one(BOTS).properties
    properties["endpoint"] = properties["endpoint"].replace("/api/messages", "/api/message")


def without_teams(stage: DeploymentStage) -> None:
    """The channel is deleted."""
    channel = f"{stage.one(BOTS).id}/channels/MsTeamsChannel"
    stage.thread.call(stage.thread.azure.resource_manager.resources.remove, channel)


def teams_with(**properties: bool) -> Callable[[DeploymentStage], None]:
    """Replace the Teams channel by one with these properties."""

    def replace_channel(stage: DeploymentStage) -> None:
        manager = stage.thread.azure.resource_manager
        channel = f"{stage.one(BOTS).id}/channels/MsTeamsChannel"
        body = {
            "location": "global",
            "properties": {"channelName": "MsTeamsChannel", "properties": properties},
        }
        stage.thread.call(manager.resources.remove, channel)
        stage.thread.call(manager.put, channel, body)

    return replace_channel


def open_to_all(stage: DeploymentStage) -> None:
    """The bot answers without a token."""
    answer(stage, "/api/messages", 202)


def behind_a_sign_in(stage: DeploymentStage) -> None:
    """App Service's own authentication answers in the bot's place."""
    answer(stage, "/api/messages", 401, **{"WWW-Authenticate": 'Bearer realm="x"'})


def another_identity(stage: DeploymentStage) -> None:
    """The app signs in as somebody else than the Azure Bot's id."""
    stage.one(BOTS).properties["msaAppId"] = "99999999-2222-3333-4444-555555555555"


def unhealthy(stage: DeploymentStage) -> None:
    """The app cannot sign in."""
    answer(stage, "/api/health", 503)


def without_code(stage: DeploymentStage) -> None:
    """The deployment of the code has failed."""
    answer(stage, "/api/health", 404)


def stopped(stage: DeploymentStage) -> None:
    """Somebody has stopped the app."""
    answer(stage, "/api/health", 403)


FAULTS = {
    moved: "which is not func-",
    misspelt: "/api/message, which is not func-",
    without_teams: "has no Teams channel",
    teams_with(isEnabled=False, acceptedTerms=True): "the Teams channel is off",
    teams_with(isEnabled=True): "terms of the Teams channel are not accepted",  # as az leaves it
    open_to_all: "anybody can talk to the bot",
    behind_a_sign_in: "App Service's own authentication",
    another_identity: "app id",
    unhealthy: "cannot sign in yet",
    without_code: "az functionapp log deployment show",
    stopped: "it is stopped",
    without_role(BLOB_OWNER): "lacks Storage Blob Data Owner",
    without_role(QUEUE_CONTRIBUTOR): "lacks Storage Queue Data Contributor",
}
"""What is wrong, and a part of what the reader is shown."""


def test_a_good_deployment_is_proved(deployed: DeploymentStage, run: Run) -> None:
    """Each step says what it has seen, and nothing is changed."""
    ended = run("prove", "--azd", "--json")
    assert ended.status == 0
    steps = ended.json["steps"]
    assert len(steps) == 7
    assert [change for step in steps for change in step["changes"]] == []
    found = str(steps)
    for text in ("answers 200", "refuses a call without a token with 401", "has proved it"):
        assert text in found
    assert deployed.azd.values["BOT_ID"] in found


def rename_storage(stage: DeploymentStage, **settings: str) -> None:
    """Replace the account's name in the app's settings."""
    site = stage.one(SITES)
    kept = {name: value for name, value in site.hidden["appSettings"].items() if name != ACCOUNT}
    site.hidden["appSettings"] = kept | settings


def test_a_storage_account_may_have_urls(deployed: DeploymentStage, run: Run) -> None:
    """As in US Government and China, whose domain the Functions host does not know."""
    account = deployed.one(SITES).hidden["appSettings"][ACCOUNT]
    url = f"https://{account}.blob.core.usgovcloudapi.net"
    rename_storage(deployed, AzureWebJobsStorage__blobServiceUri=url)
    ended = run("prove", "--azd", "--json")
    assert ended.status == 0
    assert f"has its roles on {account}" in ended.output


@pytest.mark.parametrize("settings", [{}, {"AzureWebJobsStorage__blobServiceUri": "https://["}])
def test_no_storage_account_is_refused(
    deployed: DeploymentStage, run: Run, settings: dict[str, str]
) -> None:
    """Without an account, the host has no keys, and the bot no state."""
    rename_storage(deployed, **settings)
    ended = run("prove", "--azd", "--json")
    assert ended.status == 1
    assert "name no storage account" in ended.output


def test_custom_roles_are_enough(deployed: DeploymentStage, run: Run) -> None:
    """What read, write and delete allow is all that the bot does: Storage lets these three stand
    for adding and processing, too."""
    objects = {BLOB_OWNER: "blobServices/containers/blobs", QUEUE_CONTRIBUTOR: QUEUE_MESSAGES}
    manager = deployed.thread.azure.resource_manager
    for each in deployed.all(ROLES):
        built_in = each.properties["roleDefinitionId"].rpartition("/")[2]
        if built_in in objects:
            definition = custom_role(manager.subscription_id, objects[built_in])
            deployed.thread.call(manager.put, *definition)
            each.properties["roleDefinitionId"] = definition[0]
    ended = run("prove", "--azd")
    assert ended.status == 0, ended.output


def custom_role(subscription_id: str, objects: str) -> tuple[str, dict[str, object]]:
    """Resource id and body of a role that reads, writes and deletes objects of storage accounts."""
    subscription = f"/subscriptions/{subscription_id}"
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, objects))
    path = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{name}"
    actions = [
        f"Microsoft.Storage/storageAccounts/{objects}/{verb}"
        for verb in ("read", "write", "delete")
    ]
    permission = {"actions": [], "notActions": [], "dataActions": actions, "notDataActions": []}
    properties = {
        "roleName": f"Custom {name}",
        "type": "CustomRole",
        "permissions": [permission],
        "assignableScopes": [subscription],
    }
    return path, {"properties": properties}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: FAULTS[fault].replace(" ", "-"))
def test_each_fault_is_found(
    deployed: DeploymentStage, run: Run, fault: Callable[[DeploymentStage], None]
) -> None:
    """The exit status is 1, and the text has the cause and the cure."""
    fault(deployed)
    ended = run("prove", "--azd", "--timeout", "60")
    assert ended.status == 1, ended.output
    assert FAULTS[fault] in ended.output
    assert "azd hooks run postdeploy" in ended.output or "refused" in ended.output


@pytest.mark.parametrize("fault", [without_teams, without_role(BLOB_OWNER)])
def test_the_cure_deploys_what_has_not_changed(
    deployed: DeploymentStage, run: Run, fault: Callable[[DeploymentStage], None]
) -> None:
    """azd skips a template with the values of the last deployment, unless it gets --no-state."""
    fault(deployed)
    assert "`azd provision --no-state`" in run("prove", "--azd", "--timeout", "60").output


def test_a_slow_start_is_waited_for(deployed: DeploymentStage, run: Run) -> None:
    """The app answers 503 until the roles have an effect."""
    left = [503, 503, 404]

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/api/health" and left:
            return web.Response(status=left.pop())
        return await handler(request)

    deployed.thread.azure.servers[SITES_NAME].around = around
    assert run("prove", "--azd").status == 0
    assert left == []


def test_another_certificate_is_no_proof(stage: DeploymentStage, run: Run) -> None:
    """The app must sign in with the vault's newest version."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    assert run("finish", "--azd").status == 0
    stage.deploy()
    assert run("prove", "--azd").status == 0
    (vault,) = stage.thread.azure.vaults.values()
    (versions,) = vault.inventory.versions.values()
    assert thumbprint(versions[-1]) in run("prove").output
    other = load_pem_x509_certificate(stage.thread.azure.authority.path.read_bytes())
    versions.append(replace(versions[-1], version="1" * 32, certificate=other))
    ended = run("prove", "--timeout", "60")
    assert ended.status == 1
    assert "still signs in with thumbprint" in ended.output


def test_the_dry_run_only_looks(deployed: DeploymentStage, run: Run) -> None:
    """It ends with 0, and its script waits where the command would."""
    answer(deployed, "/api/health", 503)
    ended = run("prove", "--dry-run")
    assert ended.status == 0
    assert "curl --fail" in ended.output
    assert deployed.one(SITES).name in ended.output
