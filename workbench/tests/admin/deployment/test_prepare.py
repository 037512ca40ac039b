"""`deployment prepare`: says what is missing, and makes an app registration at most once."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.deployment.choices import Chosen
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import (
    ALERT_EMAIL,
    ALWAYS_READY,
    APP_ID,
    APP_TYPE,
    CLOUD,
    CREDENTIAL,
    DIRECT_LINE,
    TURNS,
)
from bot_workbench.admin.deployment.prepare import PROVIDERS, VAULT_PROVIDER, prepare_plan
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import GRAPH, RESOURCE_MANAGER
from tests.admin.deployment.conftest import Run
from tests.support.azd import program
from tests.support.azd.deployment_stage import ENVIRONMENT, DeploymentStage
from tests.support.project import ROOT

OWN_APP = "11111111-2222-4333-8444-555555555555"
VAULTS = "Microsoft.KeyVault/vaults"


def tag(stage: DeploymentStage) -> str:
    """The tag of the registration that belongs to the environment."""
    subscription = stage.thread.azure.resource_manager.subscription_id
    return f"azd-env:{subscription}/{ENVIRONMENT}"


def registrations(stage: DeploymentStage) -> list[str]:
    """The app ids of all registrations but the pipeline's."""
    azure = stage.thread.azure
    own = azure.pipeline.registration.app_id
    return [each.app_id for each in azure.directory.applications() if each.app_id != own]


def answer(stage: DeploymentStage, ending: str, body: object) -> None:
    """Let Resource Manager answer GET requests whose path has this ending with a body."""

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "GET" and request.path.lower().endswith(ending.lower()):
            return web.json_response(body)
        return await handler(request)

    stage.thread.azure.servers[RESOURCE_MANAGER].around = around


@pytest.mark.parametrize("name", ["a-name-of-21-characters", "über", "-bot", "my bot"])
def test_a_name_that_no_resource_can_bear_is_refused(
    stage: DeploymentStage, run: Run, name: str
) -> None:
    """Before anything is asked or made, with what to do."""
    stage.azd.set(AZURE_ENV_NAME=name)
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert repr(name) in ended.output
    assert "`azd env new NAME`" in ended.output


@pytest.mark.parametrize("variable", ["AZURE_SUBSCRIPTION_ID", "AZURE_LOCATION"])
def test_a_missing_choice_is_named(stage: DeploymentStage, run: Run, variable: str) -> None:
    """azd runs the hook before it asks, so the hook says how to choose."""
    stage.azd.forget(variable)
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"`azd env set {variable} VALUE`" in ended.output


def test_a_region_without_flex_consumption_is_refused(stage: DeploymentStage, run: Run) -> None:
    """With those that have it."""
    stage.azd.set(AZURE_LOCATION="atlantis")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "atlantis has no Flex Consumption" in ended.output
    assert "swedencentral" in ended.output


def test_a_display_name_of_a_region_is_understood(stage: DeploymentStage, run: Run) -> None:
    """As the portal shows it."""
    stage.azd.set(AZURE_LOCATION="West Europe")
    assert run("prepare", "--azd").status == 0


@pytest.mark.parametrize("skus", [[], [("P1", "3.13"), ("FC1", "3.12")]])
def test_a_region_without_the_version_of_python_is_refused(
    stage: DeploymentStage, run: Run, skus: list[tuple[str, str]]
) -> None:
    """A newer region may lag behind, or have the version on other plans only."""
    offered = [
        {
            "skuCode": code,
            "functionAppConfigProperties": {"runtime": {"name": "python", "version": version}},
        }
        for code, version in skus
    ]
    minor = {"stackSettings": {"linuxRuntimeSettings": {"Sku": offered}}}
    stack = {"properties": {"majorVersions": [{"minorVersions": [minor]}]}}
    answer(stage, "/functionAppStacks", {"value": [stack]})
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "does not offer Python 3.13" in ended.output


def test_the_providers_are_those_of_the_template() -> None:
    """A new resource type in infra/ needs its provider here; two are always registered, and that of
    the models is where the resource is.
    """
    texts = [file.read_text("utf-8") for file in (ROOT / "infra").rglob("*.bicep")]
    used = {name for text in texts for name in re.findall(r"'(Microsoft\.\w+)/[\w/]+@", text)}
    others = {"Microsoft.Authorization", "Microsoft.Resources", "Microsoft.CognitiveServices"}
    assert used - others == {*PROVIDERS, VAULT_PROVIDER}


def test_a_registration_in_progress_is_waited_for(stage: DeploymentStage, run: Run) -> None:
    """Azure takes minutes; when the time is up, the text says what it was waiting for."""
    answer(stage, "/Microsoft.Web", {"registrationState": "Registering"})
    ended = run("prepare", "--azd", "--timeout", "60")
    assert ended.status == 1
    assert "is registering Microsoft.Web" in ended.output
    assert "azd up" in ended.output


@pytest.mark.parametrize("credential", ["SignInVault", "Certificate"])
def test_a_deleted_vault_is_recovered(stage: DeploymentStage, run: Run, credential: str) -> None:
    """`azd down` leaves it for a week, and its name cannot be used again; then all goes on."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    assert "BOT_VAULT_CREATE_MODE" not in stage.azd.values  # the template's default is right
    stage.provision()
    assert run("finish", "--azd").status == 0
    stage.delete()
    assert run("remove", "--azd", "--yes").status == 0
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_VAULT_CREATE_MODE"] == "recover"
    stage.provision()
    assert run("finish", "--azd").status == 0
    stage.deploy()
    assert run("prove", "--azd").status == 0
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_VAULT_CREATE_MODE"] == "default"


def test_vaults_of_other_environments_are_none_of_its_own(stage: DeploymentStage, run: Run) -> None:
    """Although they are in the same region."""
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    ended = run("prepare", "--environment", "contoso-other")
    assert ended.status == 0
    assert "vaultCreateMode=default" in ended.output


def test_a_managed_identity_needs_no_registration(stage: DeploymentStage, run: Run) -> None:
    """Nothing is written to the directory, and nothing is said or set about a vault."""
    with_azd, without = run("prepare", "--azd"), run("prepare")
    assert with_azd.status == without.status == 0
    assert registrations(stage) == []
    assert stage.azd.values.keys() == {name for name in stage.azd.values if "AZURE" in name}
    for ended in (with_azd, without):
        assert "vault" not in ended.output.lower().replace("microsoft.keyvault", "")
    assert without.output.endswith("location=westeurope\n")


def test_what_a_vault_has_left_behind_is_set_back(stage: DeploymentStage, run: Run) -> None:
    """A credential without a vault recovers none."""
    stage.azd.set(BOT_VAULT_CREATE_MODE="recover")
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_VAULT_CREATE_MODE"] == "default"


def test_the_registration_is_made_once(stage: DeploymentStage, run: Run) -> None:
    """It is for this tenant, named for the environment, and found again without azd's memory."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    (made,) = registrations(stage)
    assert stage.azd.values["BOT_APP_ID"] == made
    found = stage.thread.azure.directory.find(made)
    assert found is not None
    assert (found.display_name, found.app_type) == (ENVIRONMENT, "SingleTenant")
    assert found.service_principal_id
    stage.azd.forget("BOT_APP_ID")
    assert run("prepare", "--azd").status == 0
    assert registrations(stage) == [made]
    assert stage.azd.values["BOT_APP_ID"] == made


@pytest.mark.parametrize("alternates", [True, False])
def test_a_slow_directory_gets_one_registration(
    stage: DeploymentStage, run: Run, *, alternates: bool
) -> None:
    """Lists show a new one only after a while: its id is known from the answer."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    propagation = stage.thread.azure.directory.propagation
    propagation.graph, propagation.alternates = 60.0, alternates
    ended = run("prepare", "--azd")
    assert ended.status == 0, ended.output
    (made,) = registrations(stage)
    assert stage.azd.values["BOT_APP_ID"] == made


def test_a_lost_answer_and_a_slow_list_make_one_registration(
    stage: DeploymentStage, run: Run
) -> None:
    """It is not made again before the list must show it."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    propagation = stage.thread.azure.directory.propagation
    propagation.graph, propagation.alternates = 60.0, False
    left = ["/v1.0/applications"]

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.method == "POST" and request.path in left:
            left.remove(request.path)
            return web.Response(status=502)
        return response

    stage.thread.azure.servers[GRAPH].around = around
    ended = run("prepare", "--azd")
    assert ended.status == 0, ended.output
    assert left == []
    assert "answer was lost" in ended.output
    assert registrations(stage) == [stage.azd.values["BOT_APP_ID"]]


def test_a_registration_that_was_not_made_is_made_after_the_lag(
    stage: DeploymentStage, run: Run
) -> None:
    """Graph fails before it does anything."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    left = ["/v1.0/applications"]

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST" and request.path in left:
            left.remove(request.path)
            return web.Response(status=502)
        return await handler(request)

    stage.thread.azure.servers[GRAPH].around = around
    assert run("prepare", "--azd").status == 0
    assert registrations(stage) == [stage.azd.values["BOT_APP_ID"]]


def forbid_graph(stage: DeploymentStage, part: str, method: str = "") -> None:
    """Let Graph refuse some calls, as to an account without the right.

    Args:
        stage: has Graph.
        part: of the paths.
        method: HTTP method; empty: any.
    """

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if part in request.path and request.method.startswith(method):
            error = {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}
            return web.json_response({"error": error}, status=403)
        return await handler(request)

    stage.thread.azure.servers[GRAPH].around = around


@pytest.mark.parametrize(("method", "given"), [("POST", ""), ("GET", ""), ("GET", OWN_APP)])
def test_without_a_right_in_the_directory_the_ways_out_are_named(
    stage: DeploymentStage, run: Run, method: str, given: str
) -> None:
    """The role, somebody else's registration, or a managed identity: to read, too."""
    stage.azd.set(BOT_CREDENTIAL="Federated", BOT_APP_ID=given)
    forbid_graph(stage, "/applications", method)
    with_azd, without = run("prepare", "--azd"), run("prepare")
    assert with_azd.status == without.status == 3
    for text in ("Application Developer", "azd env set BOT_CREDENTIAL ManagedIdentity"):
        assert text in with_azd.errors
    assert "--bot-app-id GUID" in without.errors


def test_a_stranger_of_the_same_name_is_not_taken(stage: DeploymentStage, run: Run) -> None:
    """Display names are not unique."""
    directory = stage.thread.azure.directory
    stranger = stage.thread.call(directory.add_application, ENVIRONMENT)
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_APP_ID"] != stranger.app_id


def test_your_own_registration_is_used(stage: DeploymentStage, run: Run) -> None:
    """None is made beside it; it gets a service principal if it has none."""
    directory = stage.thread.azure.directory
    own = stage.thread.call(directory.add_application, "my own")
    own.service_principal_id = ""
    stage.azd.set(BOT_CREDENTIAL="Federated", BOT_APP_ID=own.app_id)
    assert run("prepare", "--azd").status == 0
    assert registrations(stage) == [own.app_id]
    assert own.service_principal_id


def test_an_unknown_registration_is_refused(stage: DeploymentStage, run: Run) -> None:
    """It was deleted, or is elsewhere: a new one is made only if you say so."""
    stage.azd.set(BOT_CREDENTIAL="Federated", BOT_APP_ID=OWN_APP)
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "`azd env set BOT_APP_ID=`" in ended.output
    assert registrations(stage) == []


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_registration_that_was_just_made_is_waited_for(
    stage: DeploymentStage, run: Run, *, is_stored: bool
) -> None:
    """A second `azd up` soon after the first, while Graph still does not show it."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    made = stage.azd.values["BOT_APP_ID"]
    azure = stage.thread.azure
    found = azure.directory.find(made)
    assert found is not None
    azure.directory.propagation.graph, azure.directory.propagation.alternates = 45.0, False
    stage.thread.call(azure.graph._replica.remember, found.object_id, None)
    if not is_stored:
        stage.azd.forget("BOT_APP_ID")
    ended = run("prepare", "--azd")
    assert ended.status == 0, ended.output
    assert registrations(stage) == [made]
    assert stage.azd.values["BOT_APP_ID"] == made


def test_without_azd_the_parameters_are_printed(stage: DeploymentStage, run: Run) -> None:
    """With the command that takes them; azd is not asked."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    ended = run("prepare")
    assert ended.status == 0
    (made,) = registrations(stage)
    assert f"botAppId={made}" in ended.output
    assert "vaultCreateMode=default" in ended.output
    assert "Next: az deployment sub create" in ended.output
    assert "Way back: bot deployment remove" in ended.output
    assert "BOT_APP_ID" not in stage.azd.values


def test_the_printed_command_has_every_choice() -> None:
    """Also those that differ from the template's defaults; a shell takes each as one word."""
    options = DeploymentOptions("prepare", cloud="China", environment=ENVIRONMENT)
    with AzureClients(options.management_cloud) as azure:
        plan = prepare_plan(
            azure,
            options,
            location="China North 3",
            chosen=Chosen(
                {
                    CREDENTIAL: "Certificate",
                    CLOUD: "China",
                    APP_ID: OWN_APP,
                    APP_TYPE: "MultiTenant",
                    TURNS: "",
                    ALWAYS_READY: "+02",
                    DIRECT_LINE: "T",
                    ALERT_EMAIL: "team@example.com",
                }
            ),
        )
    words = shlex.split(plan.next_command.removesuffix(", with the parameters above"))
    assert words[words.index("--location") + 1] == "China North 3"
    assert dict(word.split("=", 1) for word in words[words.index("--parameters") + 1 :]) == {
        "environmentName": ENVIRONMENT,
        "location": "China North 3",
        "credential": "Certificate",
        "cloud": "China",
        "botAppType": "MultiTenant",
        "alwaysReady": "2",
        "directLine": "true",
        "alertEmail": "team@example.com",
    }


def test_a_dry_run_changes_nothing(stage: DeploymentStage, run: Run) -> None:
    """It prints a script that bash reads."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    stage.thread.azure.resource_manager.tenant.registered.discard("microsoft.web")
    ended = run("prepare", "--azd", "--dry-run")
    assert ended.status == 0
    assert registrations(stage) == []
    assert "BOT_APP_ID" not in stage.azd.values
    assert "az provider register" in ended.output
    assert 'azd env set "BOT_APP_ID=$BOT_APP_ID"' in ended.output
    subprocess.run(["bash", "-n"], input=ended.output, text=True, check=True)  # noqa: S607


def test_json_for_pipelines(stage: DeploymentStage, run: Run) -> None:
    """One object, with what was found and sent."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    found = run("prepare", "--azd", "--json").json
    assert (found["command"], found["result"]) == ("prepare", "done")
    sent = [change["method"] for step in found["steps"] for change in step["changes"]]
    assert sent == ["POST", "POST", "azd"]


def test_without_azd_on_the_path_the_cure_is_named(
    stage: DeploymentStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only with --azd is it needed, and only to store something."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    monkeypatch.setenv("PATH", "/nonexistent")
    ended = run("prepare", "--azd")
    assert ended.status == 3
    assert "azd is not on the PATH" in ended.errors


def test_azds_refusal_is_shown(
    stage: DeploymentStage, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There is no project, for example."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    monkeypatch.setenv(program.VALUES, str(tmp_path / "nowhere.json"))
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "azd does not store BOT_APP_ID: ERROR: no project exists" in ended.errors


def test_the_tag_names_subscription_and_environment(stage: DeploymentStage, run: Run) -> None:
    """Environments of one name in two subscriptions have two registrations."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    found = run("prepare", "--azd", "--json").json
    bodies = [change["body"] for step in found["steps"] for change in step["changes"]]
    assert tag(stage) in json.dumps(bodies)


def test_removing_a_deployed_bot_is_no_way_back(stage: DeploymentStage, run: Run) -> None:
    """Whoever prepares once more, and is refused or registers a provider, keeps the bot."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    assert "Way back" not in run("prepare").output
    stage.azd.set(BOT_CREDENTIAL="Federated")
    refused = run("prepare")
    assert refused.status == 1
    assert "Way back" not in refused.output
