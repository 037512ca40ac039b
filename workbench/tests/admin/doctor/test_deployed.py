"""The doctor finds nothing wrong with what this project's own templates and commands deploy."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot_workbench.command_line import app
from bot_workbench.credential_kinds import KINDS
from tests.admin.doctor.examined_bot import last_day
from tests.admin.moved_clock import MovedClock
from tests.support.azd.deployment_stage import DeploymentStage, deployment_stage


@pytest.fixture
def clock() -> MovedClock:
    """The clock with which the commands wait."""
    return MovedClock()


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: MovedClock
) -> Iterator[DeploymentStage]:
    """A subscription without a deployment; a wait moves everybody's time."""
    with deployment_stage(tmp_path, monkeypatch, clock.now) as made:
        yield made


@pytest.mark.parametrize("turns", ["Inline", "Queued"])
@pytest.mark.parametrize("credential", KINDS)
def test_nothing_is_found(
    stage: DeploymentStage, clock: MovedClock, credential: str, turns: str
) -> None:
    """Each credential, with turns inline or queued."""
    stage.azd.set(BOT_CREDENTIAL=credential, BOT_TURNS=turns, BOT_ALWAYS_READY="1")
    stage.thread.azure.log_analytics.results["AppRequests"] = last_day()

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [*words], obj=clock, env=dict(stage.azd.values))
        assert result.exit_code == 0, result.output
        return result.stdout

    run("deployment", "prepare", "--azd", "--yes")
    stage.provision()
    run("deployment", "finish", "--azd", "--yes")
    stage.deploy()
    report = json.loads(run("doctor", "--json"))
    assert report["findings"] == []
    assert report["bot"]["name"] == stage.azd.values["BOT_NAME"]
