"""A bot author's repository: a template with its wheel, made by copier in an empty HOME.

Its packages are this environment's, so that nothing is fetched; the wheel is installed as run.py
does it. `python run.py package` installs what is deployed, as it does here.
"""

import os
import platform
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from bot_workbench.credential_kinds import KINDS
from bot_workbench.setup.python_packages import python_of
from bot_workbench.setup.requirements import read
from maintenance.template import lay_out
from tests.runs.deployment.played_deployment import PlayedDeployment
from tests.runs.deployment.test_azd import publish, run_hook
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azd.hooks import Hooks
from tests.support.azure.azure_thread import AzureThread
from tests.support.installed import link_packages
from tests.support.project import ROOT
from tests.template.conftest import commit, copier, git

pytestmark = [
    pytest.mark.timeout(600),  # several programs, one after the other
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the package is for Linux"
    ),
]

MIN_TESTS = 150
WHEEL = "bot-workbench"
PROGRAMS = ("ruff", "uv")
"""The programs that their packages start."""


def environment(folder: Path, requirements: Path, app: Path) -> Path:
    """Make a virtual environment with all that a list names but the wheel; returns its Python."""
    venv.create(folder, with_pip=True)
    [packages] = folder.glob("**/site-packages")
    lines = read([requirements], [app / "bot_logic"], app)
    link_packages({line.name for line in lines if line.name} - {WHEEL, "colorama"}, packages)
    for name in PROGRAMS:
        (folder / "bin" / name).symlink_to(Path(sysconfig.get_path("scripts")) / name)
    return python_of(folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty HOME."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bots(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two repositories of one author, side by side, made of a template with its wheel."""
    folder = tmp_path_factory.mktemp("authors")
    template = folder / "bot-template"
    lay_out(template, str(folder / "bot-wheels"), folder)
    git(template, "init", "--quiet")
    commit(template, "v0.1.0")
    made = folder / "canteen", folder / "Travel Expenses"
    for each in made:
        done = copier(folder, "copy", "--defaults", template.name, each.name)
        assert done.returncode == 0, done.stderr
        git(each, "init", "--quiet")
        commit(each)
        environment(each / ".venv", each / "requirements-dev.txt", each)
    return made


@pytest.fixture(scope="module")
def author(bots: tuple[Path, Path]) -> Path:
    """The first of them."""
    return bots[0]


@pytest.fixture(autouse=True)
def _empty_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this process's settings; pip finds no index."""
    for name in {*os.environ} - {"PATH", "TMPDIR", "PYTEST_CURRENT_TEST"}:
        if name.startswith(("PYTHON", "PIP", "VIRTUAL", "AZURE", "BOT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def run(author: Path, *words: str) -> str:
    """The output of a command of run.py; it succeeds."""
    command = [sys.executable, "run.py", *words]
    done = subprocess.run(command, cwd=author, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_tests_pass(author: Path) -> None:
    """They are the sample's, and leave nothing behind: copier refuses to update otherwise."""
    said = run(author, "test")
    summary = re.search(r"(\d+) passed in .*", said)
    assert summary, said
    assert int(summary[1]) > MIN_TESTS
    print(summary[0])
    assert git(author, "status", "--porcelain") == ""


def test_its_checks_pass(author: Path) -> None:
    """The sample is what the author's rules ask for."""
    run(author, "check")
    assert git(author, "status", "--porcelain") == ""


def test_it_runs_beside_another_one(bots: tuple[Path, Path]) -> None:
    """Each bot starts, answers and stops, with a storage emulator of its own; npm is not needed."""
    for each in bots:
        command = [sys.executable, "-m", "maintenance", "smoke", "--app", str(each)]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The bot starts, answers and stops." in done.stdout
        assert not re.search("Set-up .*(libraries|Azurite)", done.stdout)
        assert git(each, "status", "--porcelain") == ""


@pytest.fixture(scope="module")
def hooks_python(author: Path) -> Path:
    """The Python of the environment that azd makes for the hooks, from their list."""
    folder = author / "infra" / "hooks"
    python = environment(folder / "hooks_env", folder / "requirements.txt", author)
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "-r"]
    subprocess.run([*command, "requirements.txt"], cwd=folder, check=True)
    return python


@pytest.fixture(scope="module")
def package(author: Path, hooks_python: Path) -> Path:
    """The folder with the package that azd's hook builds; its zip is beside it."""
    command = [str(hooks_python), "infra/hooks/prepackage.py"]
    subprocess.run(command, cwd=author, check=True)
    return author / "artifacts" / "package"


def test_its_package_is_ours(author: Path, package: Path, packed: Path) -> None:
    """The same files, the bot apart."""
    assert base_files(package) == base_files(packed)
    assert git(author, "status", "--porcelain") == ""


def base_files(package: Path) -> set[str]:
    """The paths of a package's files without those of the bot."""
    files = (each.relative_to(package) for each in package.rglob("*") if each.is_file())
    return {each.as_posix() for each in files if each.parts[0] != "bot_logic"}


@pytest.mark.parametrize("credential", KINDS)
def test_azd_deploys_it(
    credential: str, author: Path, package: Path, hooks_python: Path, tmp_path: Path
) -> None:
    """Its hooks prepare, finish and prove a deployment of its package."""
    with AzureThread(tmp_path) as thread:
        stage = DeploymentStage(thread, tmp_path, BOT_CREDENTIAL=credential)
        hooks = Hooks(thread.azure, stage.azd, str(hooks_python), author)
        run_hook(hooks, "preprovision")
        stage.provision()
        run_hook(hooks, "postprovision")
        published = publish(stage, package)
        assert f"package {published[:12]} answers" in run_hook(hooks, "postdeploy")
    assert git(author, "status", "--porcelain") == ""


def test_a_deployed_bot_answers(package: Path, tmp_path: Path) -> None:
    """Its package runs as in Azure, with the settings that its template gives it."""
    with AzureThread(tmp_path) as thread:
        deployment = PlayedDeployment(thread, tmp_path, "ManagedIdentity", "Inline")
        deployment.provision()
        with deployment.running(package):
            assert deployment.say("hello").replies == ("You said: hello",), deployment.log
            assert deployment.post("/api/messages", {"type": "message"}) == 401
            deployment.prove(package.with_suffix(".zip"))
