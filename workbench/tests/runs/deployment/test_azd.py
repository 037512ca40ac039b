"""`azd up` and `azd down`, played: azd's hooks run, the template is evaluated, and the app runs
with the settings that it gets from there."""

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot_workbench.credential_kinds import KINDS
from tests.support.azd.deployment_stage import SITES, DeploymentStage
from tests.support.azd.hooks import TIMEOUT_SECONDS, Hooks
from tests.support.azd.project_copy import CODE, project_copy
from tests.support.azd.uploaded import uploaded
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.talker import Talker
from tests.support.light_sites.light_site import LightSite

pytestmark = pytest.mark.timeout(600)  # several programs, one after the other

BOTS = "Microsoft.BotService/botServices"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[DeploymentStage]:
    """A subscription in which changes take a while to be known everywhere; here it is seconds."""
    with AzureThread(tmp_path, in_processes=True) as thread:
        azure = thread.azure
        propagation = azure.directory.propagation
        propagation.certificate = propagation.federated = 3.0
        propagation.graph = 0.5
        azure.resource_manager.access.lag = 2.0
        azure.resource_manager.tenant.directory_lag = 1.0
        yield DeploymentStage(thread, tmp_path)


def run_hook(hooks: Hooks, event: str) -> str:
    """Run a hook that succeeds; returns what it printed."""
    ended = hooks.run(event)
    print(f"$ azd hook {event}\n{ended.output}")
    assert ended.status == 0
    return ended.output


@pytest.mark.parametrize("credential", KINDS)
def test_up_and_down(stage: DeploymentStage, credential: str, tmp_path: Path) -> None:
    """A bot answers a user after `azd up`, and nothing is left of it after `azd down`."""
    before = len(stage.thread.azure.directory.registrations)
    stage.azd.set(BOT_CREDENTIAL=credential)
    hooks = Hooks(stage.thread.azure, stage.azd, project=project_copy(tmp_path / "project"))
    run = partial(run_hook, hooks)

    run("preprovision")
    outputs = stage.provision()
    run("postprovision")
    stage.deploy()
    stage.thread.settle(stage.one(SITES).name)
    run("postdeploy")

    said = Talker(stage.thread, stage.one(BOTS).name).say("hello")
    assert said.ok, said
    calls = stage.thread.azure.channels[stage.one(BOTS).name.lower()].connector.calls
    assert calls[-1].verified
    assert calls[-1].appid == outputs["BOT_ID"]

    stage.delete()
    run("postdown")
    assert len(stage.thread.azure.directory.registrations) == before
    assert not stage.azd.values.get("BOT_APP_ID")


def publish(stage: DeploymentStage, package: Path) -> str:
    """Upload a package, which answers from now on; returns its hash."""
    assert "package.sha256" in uploaded(package)
    found = (package / "package.sha256").read_text("ascii").strip()
    code = stage.thread.azure.sites.code(stage.one(SITES).name)
    assert isinstance(code, LightSite)
    code.package = found
    stage.deploy()
    return found


def test_changed_code_is_proved_once_it_answers(tmp_path: Path) -> None:
    """`azd up`, then `azd deploy` whose publish is lost, although azd reports success, and again.

    The proof waits for as long as the old package answers.
    """
    project = project_copy(tmp_path / "project")
    package = project / "artifacts" / "package"
    with AzureThread(tmp_path) as thread:
        stage = DeploymentStage(thread, tmp_path)
        hooks = Hooks(thread.azure, stage.azd, project=project)
        run_hook(hooks, "prepackage")
        run_hook(hooks, "preprovision")
        stage.provision()
        run_hook(hooks, "postprovision")
        first = publish(stage, package)
        assert f"package {first[:12]} answers" in run_hook(hooks, "postdeploy")

        (project / CODE).write_text("second\n", "utf-8")
        run_hook(hooks, "prepackage")
        with subprocess.Popen(
            hooks.command("postdeploy"),
            env=hooks.environ(),
            cwd=project,
            stdout=subprocess.PIPE,
            text=True,
        ) as proof:
            assert proof.stdout is not None
            waits = next(line for line in proof.stdout if "was sent" in line)
            assert f"{first[:12]} answers" in waits
            second = publish(stage, package)
            output, _ = proof.communicate(timeout=TIMEOUT_SECONDS)
            assert proof.returncode == 0
        assert second != first
        assert f"package {second[:12]} answers" in output
        assert "make app-package" in output.splitlines()[-1]


def test_azd_uploads_what_was_built_and_checked(packed: Path) -> None:
    """All of the real package, its compiled files too, but for the .funcignore."""
    files = {each.relative_to(packed).as_posix() for each in packed.rglob("*") if each.is_file()}
    assert uploaded(packed) == sorted(files - {".funcignore"})
    assert sum(each.endswith(".pyc") for each in files) > 1000
