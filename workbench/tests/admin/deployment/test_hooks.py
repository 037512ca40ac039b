"""The hooks of azure.yaml: thin, with what they need, and clear about what they lack."""

import ast
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.sign_in import caller, credential_chain
from bot_workbench.setup.requirements import Line, read
from infra.hooks import hook
from tests.support.azd import program
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azd.hooks import TIMEOUT_SECONDS, Hooks
from tests.support.installed import link_packages, with_needs
from tests.support.project import ROOT

FOLDER = ROOT / "infra" / "hooks"
NO_CACHE = shutil.ignore_patterns("__pycache__")
CALLS = {
    "prepackage": "build_package()",
    "preprovision": 'run("prepare")',
    "postprovision": 'run("finish")',
    "postdeploy": 'run("prove")',
    "postdown": 'run("remove")',
}
"""The end of each hook's script."""

SCOPE = f"{PUBLIC.resource_manager_audience}/.default"
TENANT = "22222222-2222-4222-8222-222222222222"


def listed() -> list[Line]:
    """What the hooks' list says, a package a line."""
    return read([FOLDER / "requirements.txt"], [])


def requirements() -> list[Requirement]:
    """The packages of the hooks' list."""
    return [Requirement(line.text.partition(" --")[0]) for line in listed()]


def imported() -> set[str]:
    """The packages that the hooks' commands import by themselves."""
    return {line.name for line in read([FOLDER / "requirements.in"], [])}


def test_each_hook_runs_its_command(stage: DeploymentStage) -> None:
    """azure.yaml names the scripts, and each is one call."""
    hooks = Hooks(stage.thread.azure, stage.azd)
    assert hooks.events == CALLS.keys()
    for event, call in CALLS.items():
        assert Path(hooks.command(event)[1]).read_text("utf-8").endswith(f"\n{call}\n")


@pytest.mark.parametrize("event", CALLS)
@pytest.mark.parametrize("is_installed", [False, True])
def test_a_hook_finds_its_app_and_the_workbench(
    event: str, is_installed: bool, tmp_path: Path
) -> None:
    """Wherever it starts. In a bot's own repository, the workbench is an installed package."""
    hooks = tmp_path / "app" / "infra" / "hooks"
    shutil.copytree(FOLDER, hooks, ignore=NO_CACHE)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [packages] = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    (packages / "uv.py").touch()
    workbench = packages if is_installed else tmp_path / "app" / "workbench"
    deployment = workbench / "bot_workbench" / "admin" / "deployment"
    deployment.mkdir(parents=True)
    for folder in (deployment, *deployment.parents[:2]):
        (folder / "__init__.py").touch()
    says = "import os\nprint(os.getcwd())\n"
    (deployment / "commands.py").write_text(f"{says}\ndef app(*_, **__): pass\n")
    (deployment.parents[1] / "__main__.py").write_text(says)
    command = [str(tmp_path / "venv" / "bin" / "python"), str(hooks / f"{event}.py")]
    ended = subprocess.run(
        command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert (ended.stderr, ended.stdout) == ("", f"{(tmp_path / 'app').resolve()}\n")


def test_hooks_may_show_progress() -> None:
    """azd gives them its terminal, but not the one that runs beside azd's spinner."""
    azure = YAML(typ="safe").load((ROOT / "azure.yaml").read_text("utf-8"))
    assert all(hook["interactive"] for hook in azure["hooks"].values())
    assert "interactive" not in azure["services"]["bot"]["hooks"]["prepackage"]


def test_the_packages_have_the_projects_versions() -> None:
    """What was tested is what azd installs, and what pipelines do."""
    project = {line.name: line.version for line in read([ROOT / "requirements-dev.txt"], [])}
    hooks = {line.name: line.version for line in listed()}
    assert imported() <= project.keys() & hooks.keys()
    assert hooks == hooks | {name: project[name] for name in hooks.keys() & project.keys()}


def test_the_list_is_complete() -> None:
    """It has every package that another requires, each with hashes: nothing floats."""
    installed = with_needs(imported())
    assert {line.name for line in listed()} - installed <= {"colorama"}  # for Windows
    assert installed <= {line.name for line in listed()}
    assert all(" --hash=sha256:" in line.text for line in listed())


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with the packages of the list, and no other."""
    link_packages(imported(), tmp_path)
    assert not (tmp_path / "aiohttp").exists()
    return tmp_path


def isolated(packages: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Python with these packages and the workbench, and nothing else."""
    paths = [str(packages), str(ROOT / "workbench")]
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {paths}\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_packages_are_enough(packages: Path) -> None:
    """In an environment with nothing else, every command can be imported; no package is spare."""
    ended = isolated(packages, _IMPORT)
    assert ended.returncode == 0, ended.stderr
    files = [Path(line) for line in ended.stdout.splitlines()]
    assert len(files) > 20
    # azure-core's transport imports requests; the packaging runs uv.
    assert packages_imported(files) | {"requests", "uv"} == imported()


def test_the_doctor_needs_nothing_else(packages: Path) -> None:
    """Pipelines run it with the hooks' list alone."""
    code = "sys.argv[1:] = ['doctor', '--help']\nfrom bot_workbench.__main__ import main\nmain()"
    ended = isolated(packages, code)
    assert ended.returncode == 0, ended.stderr
    assert "bot doctor" in ended.stdout


def packages_imported(files: list[Path]) -> set[str]:
    """The packages that the project's files import by themselves, by canonical name."""
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    ours = {each.name for each in (ROOT / "workbench").iterdir()}
    return packages_named(nodes) - ours - sys.stdlib_module_names


def packages_named(nodes: Iterable[ast.AST]) -> set[str]:
    """The packages of import statements, by canonical name."""
    found: set[str] = set()
    for node in nodes:
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
        found |= {"-".join(name.split(".")[: 1 + name.startswith("azure.")]) for name in names}
    return found


_IMPORT = """
import bot_workbench.admin.deployment.commands
import bot_workbench.admin.doctor.command
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
print("\\n".join(file for file in files if file.startswith(sys.path[1] + "/")))
"""


@pytest.mark.parametrize(("event", "package"), [("preprovision", "typer"), ("prepackage", "uv")])
def test_a_missing_package_is_named(stage: DeploymentStage, event: str, package: str) -> None:
    """With a VIRTUAL_ENV among the environment's values, azd installs nothing."""
    hooks = Hooks(stage.thread.azure, stage.azd)
    python, script = hooks.command(event)
    ended = subprocess.run(
        [python, "-S", script], env=hooks.environ(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert f"lack the package {package}" in ended.stderr
    assert "VIRTUAL_ENV" in ended.stderr


@pytest.mark.parametrize("event", ["preprovision", "prepackage"])
def test_a_missing_workbench_is_named(event: str, tmp_path: Path) -> None:
    """It is one of the packages in a bot's own repository."""
    shutil.copytree(FOLDER, tmp_path / "infra" / "hooks", ignore=NO_CACHE)
    script = tmp_path / "infra" / "hooks" / f"{event}.py"
    command = [sys.executable, "-S", str(script)]
    ended = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "lack the package bot_workbench" in ended.stderr


def test_old_versions_of_python_can_read_the_hooks() -> None:
    """They get as far as the check of their version, with nothing but Python's own modules."""
    for file in FOLDER.glob("*.py"):
        compile_old(file)
    top = ast.parse((FOLDER / "hook.py").read_text("utf-8")).body
    imports = [each for each in top if isinstance(each, ast.Import | ast.ImportFrom)]
    assert packages_named(imports) <= sys.stdlib_module_names


def compile_old(file: Path) -> None:
    """Parse a file with the grammar of Python 3.7."""
    ast.parse(file.read_text("utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("call", [lambda: hook.run("prepare"), hook.build_package])
def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, call: Callable[[], None]) -> None:
    """With what to do."""
    monkeypatch.setattr(hook, "PYTHON", (99, 0))
    with pytest.raises(SystemExit) as caught:
        call()
    assert "Let `python3` (on Windows, `py`) start 3.13" in str(caught.value)


def test_pip_finds_nothing_to_refuse_for_an_old_python() -> None:
    """Else azd would stop at pip's error, before the hook can name the version that it needs."""
    for old in ("3.9", "3.12"):
        assert wanted_by(old) == set()
    for new in ("3.13", "3.14"):
        assert imported() <= wanted_by(new)


def wanted_by(python: str) -> set[str]:
    """The packages that a version of Python gets."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    return {
        canonicalize_name(each.name)
        for each in requirements()
        if each.marker is None or each.marker.evaluate(environment)
    }


def test_azds_account_signs_the_commands_in(
    stage: DeploymentStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user of azd needs no az."""
    claims = "eyJvaWQiOiJPSUQiLCJ0aWQiOiJUSUQiLCJzY3AiOiJ4In0"
    monkeypatch.setenv(program.TOKENS, json.dumps({SCOPE: f"e30.{claims}.x"}))
    chain = credential_chain({"AZURE_ENV_NAME": stage.azd.name}, "https://login.example")
    found = caller(chain, PUBLIC.resource_manager_audience)
    assert (found.object_id, found.tenant_id, found.is_user) == ("OID", "TID", True)


def test_a_hook_signs_in_to_its_environments_tenant(
    stage: DeploymentStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account of azd may be a guest in other tenants than its own."""
    monkeypatch.setenv(program.TOKENS, json.dumps({SCOPE: "e30.eyJvaWQiOiJPSUQifQ.x"}))
    monkeypatch.setenv(program.TENANT, TENANT)
    environ = {"AZURE_ENV_NAME": stage.azd.name, "AZURE_TENANT_ID": TENANT}
    chain = credential_chain(environ, "https://login.example")
    assert chain.get_token(SCOPE).token.startswith("e30.")


def test_without_a_sign_in_the_hook_says_how(stage: DeploymentStage) -> None:
    """With azd's own command, and the exit status of the project."""
    hooks = Hooks(stage.thread.azure, stage.azd)
    ended = hooks.run("preprovision", AZURE_CLIENT_ID="")
    assert ended.status == 3
    assert "Run `azd auth login`" in ended.output


def test_a_hook_asks_nothing(stage: DeploymentStage) -> None:
    """`azd down` was confirmed or forced: on a terminal, too, where azd gives the hook its own."""
    stage.azd.set(BOT_CREDENTIAL="Federated")
    hooks = Hooks(stage.thread.azure, stage.azd)
    assert hooks.run("preprovision").status == 0
    made = stage.azd.values["BOT_APP_ID"]
    terminal, theirs = pty.openpty()
    ended = subprocess.run(
        hooks.command("postdown"),
        env=hooks.environ(),
        stdin=theirs,
        timeout=TIMEOUT_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(theirs)
    os.close(terminal)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "[y/N]" not in ended.stderr
    assert f"deleted, because it was made for this environment: contoso-bot ({made})" in (
        ended.stdout
    )
    assert stage.thread.azure.directory.find(made) is None


MAX_CALLS = 8
"""Of azd, by all hooks of one `azd up`: where azd cannot reach the internet, each takes seconds."""


@pytest.mark.parametrize(
    ("credential", "zone"),
    [("ManagedIdentity", "UTC"), ("SignInVault", "Etc/GMT-3"), ("Certificate", "UTC")],
)
def test_hooks_call_azd_seldom(stage: DeploymentStage, credential: str, zone: str) -> None:
    """One token for an audience, and one `env set` in all, in any time zone."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    hooks = Hooks(stage.thread.azure, stage.azd)
    calls: list[dict[str, list[list[str]]]] = [{}, {}]
    for up in calls:
        stage.azd.forget("BOT_APP_ID")  # as on another machine
        for event in ("preprovision", "postprovision", "postdeploy"):
            ended = hooks.run(event, TZ=zone, **stage.azd_account())
            assert ended.status == 0, ended.output
            up[event] = stage.azd.calls()
            if event == "preprovision":
                stage.provision()
            elif event == "postprovision":
                stage.deploy()
    first, second = calls
    for up in calls:
        assert sum(map(len, up.values())) <= MAX_CALLS, up
        for event, made in up.items():
            assert len({tuple(each) for each in made}) == len(made), (event, made)
    assert [each[:2] for each in first["preprovision"]].count(["env", "set"]) == (
        credential != "ManagedIdentity"
    )
    later = [each[:2] for event in ("postprovision", "postdeploy") for each in second[event]]
    assert ["env", "set"] not in later


@pytest.mark.parametrize(
    "words",
    [
        ["env", "set", "--force", "A", "b"],
        ["env", "get-value"],
        ["env", "put"],
    ],
)
def test_the_stand_in_refuses_what_azd_does(words: list[str], tmp_path: Path) -> None:
    """A flag, a word or a command that azd does not have."""
    file = tmp_path / "values.json"
    file.write_text(json.dumps({"x": {}}), "utf-8")
    ended = subprocess.run(
        [sys.executable, program.__file__, *words],
        env={program.VALUES: str(file)},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 2
