"""`deployment remove`: deletes what `prepare` has made, and nothing else."""

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import GRAPH
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import OWN_APP
from tests.support.azd.deployment_stage import DeploymentStage


@pytest.fixture
def deleted(stage: DeploymentStage, run: Run) -> DeploymentStage:
    """A bot with a certificate, whose resources are deleted."""
    stage.azd.set(BOT_CREDENTIAL="SignInVault")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    assert run("finish", "--azd").status == 0
    stage.delete()
    return stage


def is_registered(stage: DeploymentStage, app_id: str) -> bool:
    """Whether the directory has an app registration."""
    return stage.thread.azure.directory.find(app_id) is not None


def test_the_registration_is_deleted(deleted: DeploymentStage, run: Run) -> None:
    """azd forgets its id, and the command can be run again."""
    made = deleted.azd.values["BOT_APP_ID"]
    assert run("remove", "--azd", "--yes").status == 0
    assert not is_registered(deleted, made)
    assert deleted.azd.values["BOT_APP_ID"] == ""
    assert run("remove", "--azd", "--yes").status == 0


def test_without_an_answer_it_stays(deleted: DeploymentStage, run: Run) -> None:
    """Without a terminal and --yes, nobody has agreed."""
    made = deleted.azd.values["BOT_APP_ID"]
    ended = run("remove", "--azd")
    assert ended.status == 1
    assert is_registered(deleted, made)
    assert "add --yes" in ended.output


def test_the_question_names_the_registration(deleted: DeploymentStage, run: Run) -> None:
    """Name and app id; the script of a dry run asks it, too."""
    ended = run("remove", "--azd", "--dry-run")
    made = deleted.azd.values["BOT_APP_ID"]
    assert f"Delete the app registration contoso-bot ({made})" in ended.output
    assert "read -r -p" in ended.output
    assert is_registered(deleted, made)


def test_while_the_group_exists_nothing_is_deleted(stage: DeploymentStage, run: Run) -> None:
    """The bot would lose its sign-in."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    with_azd, without = run("remove", "--azd", "--yes"), run("remove", "--yes")
    assert with_azd.status == without.status == 1
    assert "`azd down`" in with_azd.output
    assert "az group delete --name rg-contoso-bot" in without.output
    assert is_registered(stage, stage.azd.values["BOT_APP_ID"])


def test_your_own_registration_stays(stage: DeploymentStage, run: Run) -> None:
    """azd keeps its id, too."""
    own = stage.thread.call(stage.thread.azure.directory.add_application, "my own")
    stage.azd.set(BOT_CREDENTIAL="Federated", BOT_APP_ID=own.app_id)
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    assert run("remove", "--azd", "--yes").status == 0
    assert is_registered(stage, own.app_id)
    assert stage.azd.values["BOT_APP_ID"] == own.app_id


def forbid_lists(stage: DeploymentStage) -> None:
    """Let Graph refuse every call, as for a pipeline without permissions in the directory."""

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001
        error = {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}
        return web.json_response({"error": error}, status=403)

    stage.thread.azure.servers[GRAPH].around = around


def test_with_a_managed_identity_no_right_in_the_directory_is_needed(
    stage: DeploymentStage, run: Run
) -> None:
    """None was made, and none is spoken of, unless another credential may have left one."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    forbid_lists(stage)
    ended = run("remove", "--azd", "--yes")
    assert ended.status == 0
    assert "registration" not in ended.output
    stage.azd.set(BOT_APP_ID=OWN_APP)
    assert "may not list app registrations" in run("remove", "--azd", "--yes").output


def test_with_another_credential_a_missing_right_is_no_end(
    deleted: DeploymentStage, run: Run
) -> None:
    """The registration would stay, unseen."""
    forbid_lists(deleted)
    assert run("remove", "--azd", "--yes").status == 3


def test_what_stays_is_said(deleted: DeploymentStage, run: Run) -> None:
    """The vault with its date, the registration, and the logs: how long, and why."""
    found = deleted.thread.azure.directory.find(deleted.azd.values["BOT_APP_ID"])
    assert found is not None
    text = run("remove", "--azd", "--yes").output
    for part in ("key vault kv-", "purge protection", "30 days", "Log Analytics"):
        assert part in text
    url = f"https://graph.microsoft.com/v1.0/directory/deletedItems/{found.object_id}/restore"
    assert f"`az rest --method POST --url {url}`" in text


def test_what_was_never_made_is_not_spoken_of(stage: DeploymentStage, run: Run) -> None:
    """A managed identity has no vault and no registration."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.delete()
    ended = run("remove", "--azd", "--yes")
    assert ended.status == 0
    assert "vault" not in ended.output
    assert "registration" not in ended.output


def test_vaults_that_cannot_be_listed_are_no_failure(deleted: DeploymentStage, run: Run) -> None:
    """All is deleted; an account with few rights only does not read how long a vault stays."""
    deleted.refuse("/deletedVaults", 403, "AuthorizationFailed", "Insufficient privileges.")
    ended = run("remove", "--azd", "--yes")
    assert ended.status == 0
    assert "Log Analytics" in ended.output


def test_a_lost_registration_of_a_killed_run_is_deleted_too(
    stage: DeploymentStage, run: Run
) -> None:
    """Two with the tag: the older one is the bot's, and both are deleted."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    assert run("prepare", "--azd").status == 0
    first = stage.azd.values["BOT_APP_ID"]
    graph = stage.thread.azure.graph
    tags = [f"azd-env:{stage.azd.values['AZURE_SUBSCRIPTION_ID']}/contoso-bot"]
    body = {"displayName": "contoso-bot", "tags": tags}
    stage.thread.azure.directory.clock = lambda: 4e9
    second = stage.thread.call(graph._applications.create, body, "owner")
    stage.azd.forget("BOT_APP_ID")
    assert run("prepare", "--azd").status == 0
    assert stage.azd.values["BOT_APP_ID"] == first
    assert run("remove", "--azd", "--yes").status == 0
    assert not is_registered(stage, first)
    assert not is_registered(stage, second["appId"])
