"""`deployment prepare` loses no choice of the last deployment in silence."""

import shlex

import pytest

from tests.admin.deployment.conftest import Run
from tests.support.azd.deployment_stage import ENVIRONMENT, LOCATION, DeploymentStage

CHOSEN = {
    "BOT_TURNS": ("Queued", "Inline"),
    "BOT_ALWAYS_READY": ("1", "0"),
    "BOT_SKU": ("S1", "F0"),
    "BOT_DIRECT_LINE": ("true", "false"),
    "BOT_ALERT_EMAIL": ("team@example.com", "none"),
}
"""What the first machine has chosen, and what means the default."""


@pytest.fixture
def second_machine(stage: DeploymentStage, run: Run) -> None:
    """Everything is deployed, and `azd env refresh` has brought the outputs, not the choices."""
    stage.azd.set(**{name: value for name, (value, _) in CHOSEN.items()})
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.azd.forget(*CHOSEN)


@pytest.mark.usefixtures("second_machine")
@pytest.mark.parametrize("keeps", [True, False])
def test_a_second_machine_is_asked(stage: DeploymentStage, run: Run, *, keeps: bool) -> None:
    """Both lines are shown for each choice; nothing is written, and either line answers."""
    stage.thread.azure.resource_manager.tenant.registered.discard("microsoft.web")
    before = stage.azd.values
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert stage.azd.values == before
    assert "microsoft.web" not in stage.thread.azure.resource_manager.tenant.registered
    for name, (value, default) in CHOSEN.items():
        keep, change = f"azd env set {name} {value}", f"azd env set {name} {default}"
        assert f"{name} was {value}: to keep it, `{keep}`; to change it, `{change}`" in ended.output
        line = shlex.split(keep if keeps else change)
        stage.azd.set(**{line[3]: line[4]})
    assert run("prepare", "--azd").status == 0


@pytest.mark.usefixtures("second_machine")
def test_an_empty_value_is_missing(stage: DeploymentStage, run: Run) -> None:
    """A pipeline passes one for a variable that it does not have; it is named, and not azd."""
    kept = {name: value for name, (value, _) in CHOSEN.items()}
    stage.azd.set(**kept | {"BOT_TURNS": "", "CI": "true"})
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "to keep it, set the pipeline's variable BOT_TURNS to Queued; to change" in ended.output
    assert "BOT_SKU" not in ended.output


@pytest.mark.usefixtures("second_machine")
def test_without_azd_the_parameters_are_shown(run: Run) -> None:
    """Beside the options; the line of `az` then has them all."""
    ended = run("prepare")
    assert ended.status == 1
    assert "to keep it, `--turns Queued`, and turns=Queued for the template" in ended.output
    assert "to change it, `--alert-email none`, and alertEmail=none" in ended.output
    options = ["--turns", "Queued", "--always-ready", "1", "--bot-sku", "F0"]
    ended = run("prepare", *options, "--direct-line", "true", "--alert-email", "none")
    assert ended.status == 0
    given = "turns=Queued alwaysReady=1 botSku=F0 directLine=true alertEmail=none"
    assert given in ended.output


@pytest.mark.parametrize("credential", ["SignInVault", "Federated"])
def test_a_lost_credential_is_asked_for_first(
    stage: DeploymentStage, run: Run, credential: str
) -> None:
    """Its default could not even be deployed over the Azure Bot."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.azd.forget("BOT_CREDENTIAL", "BOT_APP_ID")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"to keep it, `azd env set BOT_CREDENTIAL {credential}`" in ended.output
    assert "BOT_APP_ID" not in ended.output
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0


def test_defaults_need_no_question(stage: DeploymentStage, run: Run) -> None:
    """Nothing would change, whether they were chosen or not."""
    stage.azd.set(BOT_TURNS="Inline", BOT_ALERT_EMAIL="none", BOT_ALWAYS_READY="0")
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.azd.forget("BOT_TURNS", "BOT_ALERT_EMAIL", "BOT_ALWAYS_READY")
    assert run("prepare", "--azd").status == 0


@pytest.mark.usefixtures("second_machine")
def test_what_is_deleted_is_not_asked_for(stage: DeploymentStage, run: Run) -> None:
    """After `az group delete`, and after `azd down`, even if somebody makes the group again."""
    resources = stage.thread.azure.resource_manager
    stage.thread.call(resources.resources.remove, stage.group)
    assert run("prepare", "--azd").status == 0
    stage.delete()
    stage.thread.call(resources.put, stage.group, {"location": LOCATION})
    assert run("prepare", "--azd").status == 0


def test_the_last_deployment_of_az_counts(stage: DeploymentStage, run: Run) -> None:
    """It has no tag, and any name: the template's parameter says whose it is."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    others = {"environmentName": "contoso-other", "turns": "Queued", "unknown": 1}
    stage.record("later", others, {})
    assert run("prepare").status == 0
    stage.record("main", {**others, "environmentName": ENVIRONMENT.upper()}, {})
    ended = run("prepare")
    assert ended.status == 1
    assert "the deployment main had" in ended.output


@pytest.mark.usefixtures("second_machine")
def test_another_projects_deployment_is_not_the_last_one(stage: DeploymentStage, run: Run) -> None:
    """An environment of the same name is not rare: azd names the project in a tag."""
    tags = {"azd-env-name": ENVIRONMENT, "azd-project-name": "a-web-shop"}
    stage.record(f"{ENVIRONMENT}-2000000000", {"environmentName": ENVIRONMENT}, tags)
    assert "BOT_TURNS was Queued" in run("prepare", "--azd").output


@pytest.mark.usefixtures("second_machine")
def test_a_deployment_under_way_is_no_last_one(stage: DeploymentStage, run: Run) -> None:
    """azd looks at those that have ended, too, however they did."""
    parameters = {"environmentName": ENVIRONMENT, "alwaysReady": 3}
    for state, asked in (("Running", "1"), ("Canceled", "1"), ("Failed", "3")):
        stage.record(f"is-{state}", parameters, {})
        found = stage.history()[-1]
        found.properties["provisioningState"] = state
        assert f"azd env set BOT_ALWAYS_READY {asked}" in run("prepare", "--azd").output


@pytest.mark.usefixtures("second_machine")
def test_a_long_history_is_read_page_by_page(stage: DeploymentStage, run: Run) -> None:
    """Resource Manager keeps 800, and says nothing of their order."""
    for number in range(5):
        stage.record(f"other-{number}", {"environmentName": "contoso-other"}, {})
    stage.thread.azure.resource_manager.page_size = 2
    assert "azd env set BOT_TURNS Queued" in run("prepare", "--azd").output


@pytest.mark.usefixtures("second_machine")
def test_an_account_that_may_not_list_deployments_goes_on(stage: DeploymentStage, run: Run) -> None:
    """With a note of what is not known."""
    listing = "/Microsoft.Resources/deployments"
    stage.refuse(listing, 403, "AuthorizationFailed", "No authorization.")
    ended = run("prepare", "--azd")
    assert ended.status == 0
    assert "gets its default: BOT_CREDENTIAL=ManagedIdentity, BOT_TURNS=Inline" in ended.output
