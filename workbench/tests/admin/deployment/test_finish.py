"""`deployment finish`: the certificate with its public key, or the federated credential."""

import datetime
import re
import time

import pytest
from typer.testing import CliRunner

from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_CERTIFICATES_OFFICER
from bot_workbench.command_line import app
from tests.admin.deployment.conftest import Run
from tests.admin.moved_clock import MovedClock
from tests.support.azd.deployment_stage import DeploymentStage


def provisioned(stage: DeploymentStage, run: Run, credential: str) -> None:
    """Deploy the template for a credential."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    stage.provision()


@pytest.mark.parametrize(
    ("credential", "exportable"), [("SignInVault", False), ("Certificate", True)]
)
def test_the_vault_makes_the_certificate(
    stage: DeploymentStage, run: Run, credential: str, *, exportable: bool
) -> None:
    """With SignInVault, the private key can never leave the vault; nothing is made twice."""
    provisioned(stage, run, credential)
    assert run("finish", "--azd").status == 0
    (vault,) = stage.thread.azure.vaults.values()
    ((name, (version,)),) = vault.inventory.versions.items()
    assert name == "bot-certificate"
    assert version.exportable is exportable
    found = stage.thread.azure.directory.find(stage.azd.values["BOT_APP_ID"])
    assert found is not None
    assert found.certificates == [version.certificate]
    again = run("finish", "--azd", "--json").json
    assert [change for step in again["steps"] for change in step["changes"]] == []


def test_a_key_that_stays_in_the_vault_cannot_be_exported(stage: DeploymentStage, run: Run) -> None:
    """`prepare` was left out; the certificate's name is the template's, so no other is the cure."""
    provisioned(stage, run, "SignInVault")
    assert run("finish", "--azd").status == 0
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    stage.provision()
    ended = run("finish", "--azd")
    assert ended.status == 1
    assert "its private key cannot be exported; if only its export is missing" in ended.output
    assert "--name" not in ended.output


def test_the_registration_trusts_the_identity(stage: DeploymentStage, run: Run) -> None:
    """By one federated credential; nothing is made twice."""
    provisioned(stage, run, "Federated")
    for _ in range(2):
        assert run("finish", "--azd").status == 0
    found = stage.thread.azure.directory.find(stage.azd.values["BOT_APP_ID"])
    assert found is not None
    (trusted,) = found.federated_credentials
    identity = stage.one("Microsoft.ManagedIdentity/userAssignedIdentities")
    assert trusted.subject == identity.properties["principalId"]


def test_a_managed_identity_needs_nothing(stage: DeploymentStage, run: Run) -> None:
    """It says so, in one line, and ends."""
    provisioned(stage, run, "ManagedIdentity")
    ended = run("finish", "--azd")
    assert ended.status == 0
    (line,) = ended.output.splitlines()
    assert line.endswith("needs nothing else to sign in")


def test_settings_that_name_no_credential(stage: DeploymentStage, run: Run) -> None:
    """Somebody has changed them: what the bot needs is not guessed."""
    provisioned(stage, run, "Federated")
    site = stage.one("Microsoft.Web/sites")
    manager = stage.thread.azure.resource_manager
    stage.thread.call(manager.set_app_settings, site, {"BotCredential": "Secret"})
    ended = run("finish", "--azd")
    assert ended.status == 1
    assert "name no credential (BotCredential): run `azd provision --no-state`" in ended.errors


def test_a_new_role_is_waited_for(stage: DeploymentStage, run: Run, clock: MovedClock) -> None:
    """The deployer's role on the vault, which has an effect minutes later."""
    provisioned(stage, run, "SignInVault")
    azure = stage.thread.azure
    azure.resource_manager.access.lag = 120.0
    azure.resource_manager.access.clock = lambda: time.monotonic() + clock.now()
    ended = run("finish", "--azd")
    assert ended.status == 0
    assert "has no effect yet" in ended.output
    assert clock.now() > 100


def new_roles(stage: DeploymentStage, clock: MovedClock, ahead: float = 0.0) -> None:
    """Let Azure say when a role was made; its time is ahead of the machine's by some seconds."""

    def utc() -> datetime.datetime:
        return clock.utc() + datetime.timedelta(seconds=ahead)

    stage.thread.azure.resource_manager.tenant.utc = utc


@pytest.mark.parametrize("credential", ["ManagedIdentity", "SignInVault", "Federated"])
def test_the_apps_new_roles_are_waited_for(
    stage: DeploymentStage, run: Run, clock: MovedClock, credential: str
) -> None:
    """Two minutes from when they were made, with the reason; a later deployment says nothing."""
    new_roles(stage, clock)
    provisioned(stage, run, credential)
    before = clock.now()
    ended = run("finish", "--azd")
    assert ended.status == 0
    assert "InaccessibleStorageException" in ended.output
    assert 100 < clock.now() - before <= 120
    before = clock.now()
    stage.provision()
    again = run("finish", "--azd")
    assert again.status == 0
    assert clock.now() == before
    assert "storage" not in again.output


@pytest.mark.parametrize(("ahead", "seconds"), [(3600.0, 120), (-90.0, 30), (-3600.0, 0)])
def test_a_wrong_clock_waits_no_longer(
    stage: DeploymentStage, run: Run, clock: MovedClock, ahead: float, seconds: float
) -> None:
    """Than two minutes; if it is fast, less."""
    new_roles(stage, clock, ahead)
    provisioned(stage, run, "ManagedIdentity")
    before = clock.now()
    assert run("finish", "--azd").status == 0
    assert clock.now() - before == pytest.approx(seconds, abs=20)
    assert clock.now() - before <= 120


def test_a_dry_run_shows_how_to_wait_for_new_roles(
    stage: DeploymentStage, run: Run, clock: MovedClock
) -> None:
    """As a line for the shell."""
    new_roles(stage, clock)
    provisioned(stage, run, "ManagedIdentity")
    ended = run("finish", "--azd", "--dry-run")
    assert ended.status == 0
    assert re.search(r"^sleep 1[012]\d #", ended.output, re.MULTILINE)


@pytest.mark.parametrize("azd", [("--azd",), ()])
def test_the_deployer_gets_a_role_on_the_vault(
    stage: DeploymentStage, run: Run, azd: tuple[str, ...]
) -> None:
    """Without azd, the text says how to take it back; each `azd up` needs it."""
    provisioned(stage, run, "Certificate")
    ended = run("finish", *azd)
    assert ended.status == 0
    assert "Assign Key Vault Certificates Officer" in ended.output
    assert ("az role assignment delete" in ended.output) is not bool(azd)


def test_a_pipeline_deploys_and_a_person_rotates(
    stage: DeploymentStage, run: Run, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets the role once, by one name from every command, and goes on with it."""
    provisioned(stage, run, "SignInVault")
    assert run("finish", "--azd").status == 0
    stage.deploy()
    with monkeypatch.context() as person:
        for name, value in {"AZURE_ENV_NAME": "x", **stage.azd_account(is_user=True)}.items():
            person.setenv(name, value)
        words = ["--bot", stage.azd.values["BOT_NAME"], "--yes", "--restart"]
        rotated = CliRunner().invoke(app, ["migrate", "certificate", "rotate", *words], obj=clock)
        assert rotated.exit_code == 0, rotated.output
    names = officers(stage)
    for account in ({}, stage.azd_account(is_user=True)):
        with monkeypatch.context() as signed_in:
            for name, value in account.items():
                signed_in.setenv(name, value)
            stage.provision()
            for command in ("finish", "prove"):
                ended = run(command, "--azd")
                assert ended.status == 0, ended.output + ended.errors
    assert officers(stage) == names
    assert len(names) == 2


def officers(stage: DeploymentStage) -> list[str]:
    """The names of the assignments of Key Vault Certificates Officer."""
    return [
        each.name
        for each in stage.all("Microsoft.Authorization/roleAssignments")
        if str(each.properties["roleDefinitionId"]).endswith(KEY_VAULT_CERTIFICATES_OFFICER.id)
    ]


def test_before_the_template_there_is_nothing_to_finish(run: Run) -> None:
    """The text says what to deploy first, with azd and without."""
    with_azd, without = run("finish", "--azd"), run("finish")
    assert with_azd.status == without.status == 1
    assert "run `azd up`" in with_azd.errors
    assert "deploy infra/main.bicep first" in without.errors


@pytest.mark.parametrize("kind", ["Microsoft.Web/sites", "Microsoft.Storage/storageAccounts"])
def test_a_deleted_resource_is_made_again(stage: DeploymentStage, run: Run, kind: str) -> None:
    """azd skips a template that has not changed: `azd up` would not make it."""
    provisioned(stage, run, "ManagedIdentity")
    stage.thread.call(stage.thread.azure.resource_manager.resources.remove, stage.one(kind).id)
    with_azd, without = run("finish", "--azd"), run("finish")
    assert with_azd.status == without.status == 1
    assert "run `azd provision --no-state`, then `azd deploy`" in with_azd.errors
    assert "deploy infra/main.bicep again, then the code" in without.errors


@pytest.mark.parametrize("alternates", [True, False])
@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_a_slow_directory_is_waited_for(
    stage: DeploymentStage, run: Run, credential: str, *, alternates: bool
) -> None:
    """It does not show, or not on each server, what was made moments ago."""
    provisioned(stage, run, credential)
    azure = stage.thread.azure
    azure.directory.propagation.graph, azure.directory.propagation.alternates = 45.0, alternates
    found = azure.directory.find(stage.azd.values["BOT_APP_ID"])
    assert found is not None
    stage.thread.call(azure.graph._replica.remember, found.object_id, None)
    ended = run("finish", "--azd")
    assert ended.status == 0, ended.output + ended.errors
    assert "does not show the app registration yet" in ended.output
    assert found.certificates or found.federated_credentials


@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_a_registration_that_is_gone_is_not_waited_for_long(
    stage: DeploymentStage, run: Run, clock: MovedClock, credential: str
) -> None:
    """After two minutes, no directory is behind any more."""
    provisioned(stage, run, credential)
    directory = stage.thread.azure.directory
    found = directory.find(stage.azd.values["BOT_APP_ID"])
    assert found is not None
    stage.thread.call(directory.delete, found)
    ended = run("finish", "--azd")
    assert ended.status == 1
    assert "does not show the app registration yet" in ended.output
    assert 120 <= clock.now() < 180


def test_only_resources_with_the_environments_tag_count(stage: DeploymentStage, run: Run) -> None:
    """Somebody may have put another bot into the group."""
    provisioned(stage, run, "ManagedIdentity")
    site = stage.one("Microsoft.Web/sites")
    manager, properties = stage.thread.azure.resource_manager, site.properties
    body = {
        "location": site.body["location"],
        "kind": site.body["kind"],
        "properties": {"serverFarmId": properties["serverFarmId"]},
    }
    stage.thread.call(manager.put, f"{site.id}-2", {**body, "tags": {"azd-env-name": "other"}})
    assert run("finish").status == 0
    stage.thread.call(manager.put, f"{site.id}-3", {**body, "tags": site.body["tags"]})
    ended = run("finish")
    assert ended.status == 1
    assert f"has several: {site.name}, {site.name}-3" in ended.errors


def test_the_environments_name_has_no_case(stage: DeploymentStage, run: Run) -> None:
    """As the name of the resource group, which Azure compares so."""
    provisioned(stage, run, "ManagedIdentity")
    assert run("finish", "--environment", stage.azd.name.upper()).status == 0


def test_the_next_command_publishes_the_code(stage: DeploymentStage, run: Run) -> None:
    """For those who do not use azd."""
    provisioned(stage, run, "Federated")
    app = stage.one("Microsoft.Web/sites").name
    assert f"Next: func azure functionapp publish {app}" in run("finish").output
