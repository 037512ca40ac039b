"""`deployment prepare` over an Azure Bot that exists: its type and app id stay."""

import json

import pytest

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.local_azure import GRAPH
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import forbid_graph, registrations, tag
from tests.support.azd import program
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azure.azure_thread import answer_of

BOTS = "Microsoft.BotService/botServices"


async def registered(directory: Directory) -> Registration:
    """An app registration for many tenants."""
    return directory.add_application("my own", audience="AzureADMultipleOrgs")


def deployed(stage: DeploymentStage, run: Run, credential: str) -> None:
    """Deploy the template for a credential."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    stage.provision()


@pytest.mark.parametrize(
    ("before", "after"), [("ManagedIdentity", "Federated"), ("SignInVault", "ManagedIdentity")]
)
def test_another_type_is_refused(stage: DeploymentStage, run: Run, before: str, after: str) -> None:
    """Before the template changes the settings of an app that answers users, or a registration."""
    deployed(stage, run, before)
    known = registrations(stage)
    stage.azd.set(BOT_CREDENTIAL=after)
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "Azure never changes that" in ended.output
    assert "docs/migrate.md" in ended.output
    assert registrations(stage) == known


def test_another_credential_of_the_same_registration_is_fine(
    stage: DeploymentStage, run: Run
) -> None:
    """The app id stays, and a second deployment, too."""
    deployed(stage, run, "Certificate")
    for credential in ("Certificate", "SignInVault", "Federated"):
        stage.azd.set(BOT_CREDENTIAL=credential)
        assert run("prepare", "--azd").status == 0
        stage.provision()
    assert registrations(stage) == [stage.azd.values["BOT_APP_ID"]]


def test_another_app_id_is_refused(stage: DeploymentStage, run: Run) -> None:
    """With the one that the bot has."""
    deployed(stage, run, "Federated")
    current = stage.azd.values["BOT_APP_ID"]
    other = stage.thread.call(stage.thread.azure.directory.add_application, "other")
    stage.azd.set(BOT_APP_ID=other.app_id)
    with_azd, without = run("prepare", "--azd"), run("prepare")
    assert with_azd.status == without.status == 1
    assert f"`azd env set BOT_APP_ID {current}`" in with_azd.output
    assert f"--bot-app-id {current}" in without.output


def test_a_lost_name_of_your_own_registration_makes_none(stage: DeploymentStage, run: Run) -> None:
    """A pipeline has a new azd environment in each run, and somebody may forget BOT_APP_ID."""
    own = stage.thread.call(stage.thread.azure.directory.add_application, "my own")
    stage.azd.set(BOT_APP_ID=own.app_id)
    deployed(stage, run, "Federated")
    stage.azd.forget("BOT_APP_ID")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"`azd env set BOT_APP_ID {own.app_id}`" in ended.output
    assert registrations(stage) == [own.app_id]


def test_of_two_tagged_registrations_the_bots_is_taken(stage: DeploymentStage, run: Run) -> None:
    """A killed run has left the older one, which the bot does not use."""
    body = {"displayName": "contoso-bot", "tags": [tag(stage)]}
    azure = stage.thread.azure
    azure.directory.propagation.graph, azure.directory.propagation.alternates = 60.0, False
    lost = stage.thread.call(azure.graph._applications.create, body, "owner")
    deployed(stage, run, "Federated")
    azure.directory.propagation.graph = 0.0
    azure.directory.clock = lambda: 4e9
    used = stage.azd.values["BOT_APP_ID"]
    assert used != lost["appId"]
    stage.azd.forget("BOT_APP_ID")
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_APP_ID"] == used


def test_another_bots_app_id_is_refused(stage: DeploymentStage, run: Run) -> None:
    """An app id belongs to one Azure Bot."""
    deployed(stage, run, "Federated")
    ended = run("prepare", "--environment", "contoso-two")
    assert ended.status == 1
    assert f"that of the Azure Bot {stage.one(BOTS).name} in rg-contoso-bot" in ended.output


def test_a_bot_that_has_lost_its_tag_is_deployed_again(stage: DeploymentStage, run: Run) -> None:
    """It is the environment's by its group, and the template tags it again."""
    deployed(stage, run, "Federated")
    stage.one(BOTS).body["tags"] = {}
    assert run("prepare", "--azd").status == 0


@pytest.mark.parametrize(
    ("credential", "text"),
    [
        ("Certificate", "Azure creates no new multi-tenant bots"),
        ("Federated", "signs in no MultiTenant bot"),
    ],
)
def test_a_new_multi_tenant_bot_is_refused(
    stage: DeploymentStage, run: Run, credential: str, text: str
) -> None:
    """Before a registration for one tenant is made for it."""
    stage.azd.set(BOT_CREDENTIAL=credential, BOT_APP_TYPE="MultiTenant")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert text in ended.output
    assert registrations(stage) == []


def test_a_multi_tenant_bot_that_exists_is_deployed_again(stage: DeploymentStage, run: Run) -> None:
    """It keeps its type."""
    azure = stage.thread.azure
    azure.resource_manager.tenant.accepts_multi_tenant = True
    own = stage.thread.do(registered(azure.directory))
    stage.azd.set(BOT_CREDENTIAL="Certificate", BOT_APP_TYPE="MultiTenant", BOT_APP_ID=own.app_id)
    stage.provision()
    assert run("prepare", "--azd").status == 0
    stage.azd.set(BOT_APP_TYPE="SingleTenant")
    assert run("prepare", "--azd").status == 1


def test_the_type_has_no_say_over_a_managed_identity(stage: DeploymentStage, run: Run) -> None:
    """The template does not use it then."""
    stage.azd.set(BOT_APP_TYPE="MultiTenant")
    deployed(stage, run, "ManagedIdentity")
    assert run("prepare", "--azd").status == 0


def test_a_deleted_registration_is_restored(stage: DeploymentStage, run: Run) -> None:
    """Whether azd still has its id or not, the way is the same, and leads out."""
    deployed(stage, run, "Federated")
    azure, app_id = stage.thread.azure, stage.azd.values["BOT_APP_ID"]
    found = azure.directory.find(app_id)
    assert found is not None
    stage.thread.call(azure.directory.delete, found)
    url = f"https://{GRAPH}/v1.0/directory/deletedItems/{found.object_id}/restore"
    for known in (app_id, ""):
        stage.azd.set(BOT_APP_ID=known)
        ended = run("prepare", "--azd")
        assert ended.status == 1
        assert f"restore it (`az rest --method POST --url {url}`)" in ended.output
        assert "azd env set BOT_APP_ID" not in ended.output
    tokens = json.loads(stage.azd_account(is_user=True)[program.TOKENS])
    token = tokens[f"https://{GRAPH}/.default"]
    call = answer_of(azure, "POST", url, Authorization=f"Bearer {token}")
    assert stage.thread.do(call)[0] == 200
    assert not found.service_principal_id
    assert run("prepare", "--azd").status == 0
    assert found.service_principal_id
    assert stage.azd.values["BOT_APP_ID"] == app_id


@pytest.mark.parametrize("is_known", [True, False])
def test_a_registration_that_cannot_be_restored(
    stage: DeploymentStage, run: Run, *, is_known: bool
) -> None:
    """Another environment, or another bot: its lines lead to one."""
    deployed(stage, run, "Federated")
    azure, app_id = stage.thread.azure, stage.azd.values["BOT_APP_ID"]
    del azure.directory.registrations[app_id.lower()]
    stage.azd.set(BOT_APP_ID=app_id if is_known else "")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    bot = stage.one(BOTS)
    deletion = f"`az bot delete --resource-group rg-contoso-bot --name {bot.name}`"
    for line in ("`azd env new NAME`", deletion, "`azd env set BOT_APP_ID=`"):
        assert line in ended.output
    stage.thread.call(azure.resource_manager.resources.remove, bot.id)
    stage.azd.set(BOT_APP_ID="")
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_APP_ID"] != app_id


def test_what_was_deleted_may_be_hidden(stage: DeploymentStage, run: Run) -> None:
    """To an account that may register, but not list deleted objects: the portal is named."""
    deployed(stage, run, "Federated")
    azure = stage.thread.azure
    found = azure.directory.find(stage.azd.values["BOT_APP_ID"])
    assert found is not None
    stage.thread.call(azure.directory.delete, found)
    forbid_graph(stage, "/directory/deletedItems/")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "App registrations, Deleted applications" in ended.output


@pytest.mark.parametrize("pipeline", ["", "CI", "TF_BUILD", "GITHUB_ACTIONS"])
def test_an_id_that_another_machine_has_deleted(
    stage: DeploymentStage, run: Run, monkeypatch: pytest.MonkeyPatch, pipeline: str
) -> None:
    """`azd down` there has deleted bot and registration; here, or in a pipeline, the id is left."""
    for name in ("CI", "TF_BUILD", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    deployed(stage, run, "Federated")
    app_id = stage.azd.values["BOT_APP_ID"]
    stage.delete()
    assert run("remove", "--azd", "--yes").status == 0
    stage.azd.set(BOT_APP_ID=app_id)
    if pipeline:
        monkeypatch.setenv(pipeline, "true")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    way = "delete the pipeline's variable BOT_APP_ID" if pipeline else "`azd env set BOT_APP_ID=`"
    assert f"To get a new one, {'' if pipeline else 'run '}{way}" in ended.output
    stage.azd.set(BOT_APP_ID="")
    assert run("prepare", "--azd").status == 0
