"""`deployment prepare` checks what was chosen before it sends anything."""

from pathlib import Path

import pytest

from bot_workbench.admin.deployment import choices
from bot_workbench.admin.deployment.parameters import OPENAI_RESOURCE_ID
from tests.admin.deployment.conftest import Run
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd.deployment_stage import DeploymentStage

TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")
"""The texts that Go's strconv.ParseBool takes."""

MODELS = (
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourcegroups/Models/providers"
    "/Microsoft.CognitiveServices/accounts/contoso-models"
)

FAULTS = [
    ("BOT_ALWAYS_READY", "two", "a whole number from 0 to 20", "0"),
    ("BOT_ALWAYS_READY", "1.5", "a whole number from 0 to 20", "0"),
    ("BOT_ALWAYS_READY", "50", "a whole number from 0 to 20", "20"),
    ("BOT_ALWAYS_READY", " 2", "a whole number from 0 to 20", "2"),
    ("BOT_DIRECT_LINE", "yes", "true or false", "true"),
    ("BOT_DIRECT_LINE", "maybe", "true or false", "false"),
    ("BOT_TURNS", "queued", "one of Inline, Queued", "Queued"),
    ("BOT_TURNS", "Queued ", "one of Inline, Queued", "Queued"),
    ("BOT_TURNS", "Outline", "one of Inline, Queued", "Inline"),
    ("BOT_CREDENTIAL", "SigninVault", "Federated", "SignInVault"),
    ("BOT_CLOUD", "AzureUSGovernment", "USGovernment", "USGovernment"),
    ("BOT_SKU", "s1", "one of F0, S1", "S1"),
    ("BOT_APP_TYPE", "Multi", "SingleTenant, MultiTenant", "MultiTenant"),
    ("BOT_APP_ID", "contoso", "a GUID", "GUID"),
    ("BOT_ALERT_EMAIL", "NONE", "an email address, or none", "none"),
    ("BOT_ALERT_EMAIL", "a@b.com, c@d.com", "an email address", "you@example.com"),
    ("BOT_ALERT_EMAIL", 'a"b@example.com', "would break the JSON", "you@example.com"),
    ("BOT_ALERT_EMAIL", "a\\b@example.com", "would break the JSON", "you@example.com"),
    ("BOT_TURNS", "Queued\n", "would break the JSON", "Queued"),
    *(
        ("BOT_OPENAI_RESOURCE_ID", text, "a Microsoft.CognitiveServices account", right)
        for text, right in (
            ("contoso-models", OPENAI_RESOURCE_ID.example),
            ("https://contoso-models.openai.azure.com", OPENAI_RESOURCE_ID.example),
            (f"{MODELS}/projects/contoso", OPENAI_RESOURCE_ID.example),
            (f"{MODELS} ", MODELS),
            ("None", "none"),
        )
    ),
]


def test_azd_leaves_out_what_is_not_of_the_type(stage: DeploymentStage) -> None:
    """Without the check, the defaults would be deployed, and azd would end with 0."""
    assert stage.azd.parameters().keys() >= {"alwaysReady", "directLine"}
    stage.azd.set(BOT_ALWAYS_READY="two", BOT_DIRECT_LINE="yes")
    assert not stage.azd.parameters().keys() & {"alwaysReady", "directLine"}


@pytest.mark.parametrize(("variable", "value", "takes", "right"), FAULTS)
def test_a_wrong_value_is_refused_with_the_line_to_type(
    stage: DeploymentStage, run: Run, variable: str, value: str, takes: str, right: str
) -> None:
    """azd would drop it and deploy the default, or the template would fail after changes."""
    stage.azd.set(**{variable: value})
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"{variable} is {value!r}, and takes" in ended.output
    assert takes in ended.output
    assert f"`azd env set {variable} {right}`" in ended.output
    assert "Usage" not in ended.output + ended.errors
    is_dropped = value in {"two", "1.5", " 2", "yes", "maybe"}
    assert ("azd would leave this one out" in ended.output) is is_dropped


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("BOT_DIRECT_LINE", each) for each in (*TRUE, *FALSE)),
        ("BOT_ALWAYS_READY", "+3"),
        ("BOT_ALWAYS_READY", "020"),
        ("BOT_APP_ID", ""),
        ("BOT_CREDENTIAL", ""),
        ("BOT_ALWAYS_READY", ""),
        ("BOT_ALERT_EMAIL", "none"),
        ("BOT_OPENAI_RESOURCE_ID", "none"),
        ("BOT_ALERT_EMAIL", "on+call_1@team.example.co.uk"),
    ],
)
def test_what_azd_takes_is_taken(
    stage: DeploymentStage, run: Run, variable: str, value: str
) -> None:
    """Go's spellings of booleans and numbers, too; an empty value counts as unset."""
    stage.azd.set(**{variable: value})
    assert run("prepare", "--azd").status == 0


def test_all_faults_are_shown_before_a_registration_exists(
    stage: DeploymentStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and without anybody who is signed in."""
    stage.azd.set(BOT_CREDENTIAL="Federated", BOT_TURNS="queue", BOT_CLOUD="Azure", BOT_TURN="x")
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    for name in ("BOT_TURNS is", "BOT_CLOUD is", "BOT_TURN has no effect"):
        assert name in ended.output
    assert registrations(stage) == []


@pytest.mark.parametrize("pipeline", ["CI", "TF_BUILD", "GITHUB_ACTIONS"])
def test_a_pipeline_gets_the_name_of_its_variable(
    stage: DeploymentStage, run: Run, monkeypatch: pytest.MonkeyPatch, pipeline: str
) -> None:
    """There is no environment of azd's on anybody's machine."""
    monkeypatch.setenv(pipeline, "true")
    stage.azd.set(BOT_TURNS="queued", BOT_SKUS="S1")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "set the pipeline's variable BOT_TURNS to Queued" in ended.output
    assert "rename the pipeline's variable BOT_SKUS to BOT_SKU" in ended.output
    assert "azd env set" not in ended.output


def test_ci_that_is_false_is_no_pipeline(
    stage: DeploymentStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some shells set it so."""
    monkeypatch.setenv("CI", "False")
    stage.azd.set(BOT_TURNS="queued")
    assert "azd env set BOT_TURNS Queued" in run("prepare", "--azd").output


def test_without_azd_the_option_is_named(run: Run) -> None:
    """All faults at once, as those of a command line."""
    ended = run("prepare", "--turns", "queued", "--always-ready", "two")
    assert ended.status == 2
    assert "--turns Queued" in ended.errors
    assert "--always-ready 0" in ended.errors


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("BOT_TURN", "BOT_TURNS=Queued BOT_TURN="),
        ("BOT_TRUNS", "BOT_TURNS=Queued BOT_TRUNS="),
        ("Bot_Turns", "BOT_TURNS=Queued Bot_Turns="),
        ("bot_turns", "BOT_TURNS=Queued bot_turns="),
        ("BOT_CREDENTIALS", "BOT_CREDENTIAL=Federated BOT_CREDENTIALS="),
        ("BOT_APPID", "BOT_APP_ID=GUID BOT_APPID="),
        ("BOT_ALERT_MAIL", "BOT_ALERT_EMAIL=you@example.com BOT_ALERT_MAIL="),
        ("BOT_DIRECTLINE", "BOT_DIRECT_LINE=true BOT_DIRECTLINE="),
        ("BOT_ALWAYSREADY", "BOT_ALWAYS_READY=2 BOT_ALWAYSREADY="),
    ],
)
def test_a_slip_in_a_name_is_refused(
    stage: DeploymentStage, run: Run, name: str, line: str
) -> None:
    """azd would pass it on to nobody; the line sets the one that was meant, and clears this."""
    value = line.partition("=")[2].partition(" ")[0].replace("GUID", "x")
    stage.azd.set(**{name: value.replace("you@example.com", "you")})
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert f"`azd env set {line}`" in ended.output
    for each in line.split():
        key, _, right = each.partition("=")
        stage.azd.set(**{key: right.replace("GUID", "11111111-2222-4333-8444-555555555555")})
    assert "has no effect" not in run("prepare", "--azd").output


def test_a_slip_beside_the_right_name_is_cleared(stage: DeploymentStage, run: Run) -> None:
    """It may hold another value."""
    stage.azd.set(BOT_TURNS="Queued", BOT_TURN="Inline")
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert "`azd env set BOT_TURN=`" in ended.output


def test_other_names_are_the_authors_own(stage: DeploymentStage, run: Run) -> None:
    """Such as those of a bot's own settings, the template's outputs, and what the hooks set."""
    own = ("BOT_COLOR", "BOT_TOKEN", "BOT_SKILL", "BOT_MAP_ID", "BOT_TYPE", "BOTANY", "ROBOT_TURN")
    outputs = ("BOT_NAME", "BOT_APP_NAME", "BOT_ENDPOINT", "BOT_ID", "BOT_IDENTITY_NAME")
    stage.azd.set(**dict.fromkeys([*own, *outputs, "BOT_VAULT_NAME"], "x"))
    assert run("prepare", "--azd").status == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"AllowedTenants": "t",}', "cannot be read"),
        ("[]", 'infra/app-settings.json is no object: write {"NAME": "VALUE"}'),
        ('{"A": "1", "B": true}', "B in infra/app-settings.json is no text"),
        ('{"A": "1", "B": {"C": "2"}}', "B in infra/app-settings.json is no text"),
    ],
)
def test_wrong_settings_of_the_bot_are_refused(
    stage: DeploymentStage,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    text: str,
    said: str,
) -> None:
    """Before anything is made: Bicep and App Service look at them later."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "app-settings.json").write_text(text, "utf-8")
    monkeypatch.setattr(choices, "APP", tmp_path)
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert said in ended.output
    assert registrations(stage) == []
