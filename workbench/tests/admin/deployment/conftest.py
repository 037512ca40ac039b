"""A subscription without a deployment, which this process's clients reach by its public names."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot_workbench.admin.deployment import prove
from bot_workbench.command_line import app
from tests.admin.migrate.migration import Ended
from tests.admin.moved_clock import MovedClock
from tests.support.azd.deployment_stage import DeploymentStage, deployment_stage

Run = Callable[..., Ended]


@pytest.fixture
def clock() -> MovedClock:
    """The clock with which the commands wait."""
    return MovedClock()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Where azd's package is, once there is one."""
    return tmp_path / "package.zip"


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: MovedClock, package: Path
) -> Iterator[DeploymentStage]:
    """The subscription; a wait moves everybody's time. Nothing has been packaged yet."""
    monkeypatch.setattr(prove, "PACKAGE", package)
    with deployment_stage(tmp_path, monkeypatch, clock.now) as made:
        yield made


@pytest.fixture
def run(stage: DeploymentStage, clock: MovedClock) -> Run:
    """Run `deployment` in this process, with azd's values as variables, and these words."""

    def ran(*words: str) -> Ended:
        result = CliRunner().invoke(
            app, ["deployment", *words], obj=clock, env=dict(stage.azd.values)
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return ran


@pytest.fixture
def deployed(stage: DeploymentStage, run: Run) -> DeploymentStage:
    """A bot that is its managed identity."""
    assert run("prepare", "--azd").status == 0
    stage.provision()
    stage.deploy()
    return stage
