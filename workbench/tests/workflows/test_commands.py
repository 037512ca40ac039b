"""The pipelines run what .ci/run runs, and what the deployment needs."""

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_CERTIFICATES_OFFICER
from bot_workbench.command_line import imported
from maintenance.targets import PORTABLE, suite
from tests.support.project import ROOT
from tests.workflows.pipeline_files import (
    AUTHOR,
    AUTHORS_CI,
    AZURE,
    DEPENDABOT,
    DEPLOY,
    WORKFLOWS,
    lines,
    name_of,
    read,
    scripts,
)

CI, DOCTOR = DEPLOY.with_name("ci.yml"), DEPLOY.with_name("doctor.yml")
BOTH = pytest.mark.parametrize("file", [DEPLOY, AZURE], ids=lambda file: file.name)

OTHER_LOOP = "make test LOOP=asyncio"
"""What the pipelines run in addition, on asyncio's own event loop."""

BY_HOOK = {"BOT_VAULT_CREATE_MODE", "BOT_PRINCIPAL_ID"}
"""Parameters that the pre-provision hook decides."""

SIGN_IN = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}

GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

NAMED = re.compile(
    r"(?<= )(?:\./)?(?:infra|tests|workbench|\.github|requirements)(?:-\w+)?(?:/[\w-]+)*\.\w+"
)

PIP = """python() { shift 3; printf '%s\\n' "$@"; }"""
"""A shell function: `python -m pip install` prints its arguments."""

BOT = "PYTHONPATH=workbench python -m bot_workbench"
"""`bot` in a job, whose environment has the hooks' packages alone."""

MY_BOT = """
python() {
  echo "python $*" >> ~/calls
  case "$*" in
    "run.py template "*) mkdir ../template && touch ../template/copier.yml ;;
    "run.py test") eval "$CHANGES" ;;
  esac
}
copier() {
  echo "copier $*" >> ~/calls
  mkdir ../my-bot && git -C ../template show v1:copier.yml > ../my-bot/run.py
}
"""
"""Shell functions: `python` lays out a template of one file, and `copier` takes it by its tag."""

WINDOWS_PYTHON = """python() { "$PYTHON" "$@" | sed 's/$/\\r/'; }\n"""
"""A shell function: `python` ends its lines as on Windows."""

WITHOUT_UNIX = """
import importlib.abc, sys
class WithoutUnix(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "grp", "pty", "pwd", "resource", "termios", "uvloop"}:
            raise ModuleNotFoundError(name)
import bot_workbench.file_lock  # has a branch for Windows
del sys.modules["fcntl"]
sys.meta_path.insert(0, WithoutUnix())
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def matrix_commands() -> dict[str, list[str]]:
    """The commands of the test jobs, by the file."""
    github = read(CI)["jobs"]["test"]["strategy"]["matrix"]["command"]
    azure = read(AZURE)["stages"][0]["jobs"][0]["strategy"]["matrix"]
    return {CI.name: github, AZURE.name: [each["command"] for each in azure.values()]}


def ci_commands() -> list[str]:
    """What .ci/run runs, as `make` commands."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    return re.findall(r"^step (make .*)$", script, re.M)


def passed_variables() -> dict[str, str]:
    """What the deploy job passes to azd, by the variables' names."""
    given: dict[str, str] = read(DEPLOY)["jobs"]["deploy"]["env"]
    return given


@pytest.mark.parametrize("file", [CI.name, AZURE.name])
def test_the_commands_are_those_of_ci_run(file: str) -> None:
    """The pipelines run what .ci/run runs, each command on a machine of its own."""
    commands = matrix_commands()[file]
    own = [command for command in commands if command != OTHER_LOOP]
    assert own == ci_commands()
    assert OTHER_LOOP in commands


@pytest.mark.parametrize(("everything", "runs"), [(False, 1), (True, 3)])
def test_the_loop_is_passed_on(everything: bool, runs: int) -> None:
    """`LOOP=asyncio` reaches each pytest."""
    commands = suite(everything=everything, loop="asyncio")
    assert len(commands) == runs
    assert all(" --loop asyncio " in " ".join(command) for command in commands)


def test_a_bots_own_repository_runs_its_commands() -> None:
    """The bot's tests and checks, and the package that deploy.yml takes."""
    assert scripts(read(AUTHORS_CI)) == ["make check", "make test", "make package"]


@pytest.mark.parametrize("file", [CI, AUTHORS_CI, AZURE], ids=name_of)
def test_the_package_is_built_by_make(file: Path) -> None:
    """What is deployed is what `make package` builds."""
    assert lines(read(file), "make package") == ["make package"]
    assert "artifacts/package.zip" in file.read_text("utf-8")


@BOTH
def test_the_deployment_is_provisioned_deployed_and_proven(file: Path) -> None:
    """In this order, with the package that the pipeline has built; the doctor comes last."""
    found = lines(read(file), "azd ", "az ", BOT)
    assert [line.partition(" --")[0] for line in found][:4] == [
        "azd auth login",
        "azd provision",
        "azd deploy bot",
        f"{BOT} doctor",
    ]


def test_the_templates_are_compiled_and_azure_yaml_is_checked() -> None:
    """With what has no package here: Bicep's compiler, and the schema of azd's version."""
    found = lines(read(CI), "az ", "check-jsonschema ")
    assert [line.partition(" --")[0] for line in found] == [
        "az bicep install",
        "az bicep build",
        "az bicep lint",
        "check-jsonschema",
    ]
    assert found[-1].endswith(" azure.yaml")


def test_a_tool_has_one_version() -> None:
    """azd has the same version everywhere."""
    texts = {file: file.read_text("utf-8") for file in (CI, DEPLOY, AZURE)}
    found = [
        re.findall(r"azure-dev-cli_([\d.]+)/", texts[CI]),
        re.findall(r"^ +version: ([\d.]+)$", texts[DEPLOY], re.M),
        re.findall(r"(?:azure-dev-cli_|--version )([\d.]+)\b", texts[AZURE]),
    ]
    assert all(found)
    assert len({version for each in found for version in each}) == 1, found


def test_packages_have_the_versions_of_development() -> None:
    """What the jobs install is in workbench/tests/requirements-all.txt: Dependabot updates it."""
    installed = lines(read(CI), "python -m pip install ")
    ended = subprocess.run(
        [str(shutil.which("bash")), "--norc", "-euc", "\n".join([PIP, *installed])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    pinned = (ROOT / "workbench" / "tests" / "requirements-all.txt").read_text("utf-8").splitlines()
    found = ended.stdout.splitlines()
    assert len(found) >= len(installed) > 0
    assert set(found) <= {*pinned}


def test_each_parameter_has_a_variable() -> None:
    """The deploy job passes every parameter of the templates that nobody else finds out."""
    parameters = (ROOT / "infra" / "main.parameters.json").read_text("utf-8")
    wanted = set(re.findall(r"\$\{(\w+)", parameters)) - BY_HOOK | SIGN_IN
    given = passed_variables()
    assert given == {name: f"${{{{ vars.{name} }}}}" for name in given}
    assert set(given) == wanted


@pytest.mark.parametrize("file", [DEPLOY, DOCTOR, AZURE], ids=lambda file: file.name)
def test_our_commands_take_their_options(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command line is parsed by the command itself, with the variables of the job."""
    for name in ("AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID"):
        monkeypatch.setenv(name, "given")
    found = lines(read(file), BOT)
    assert found[-1].startswith(f"{BOT} doctor ")
    for line in found:
        name, *arguments = shlex.split(line.removeprefix(BOT))
        imported(name).make_context(name, arguments)


@pytest.mark.parametrize("file", [DEPLOY, DOCTOR, AZURE], ids=lambda file: file.name)
def test_the_doctor_looks_at_the_group_of_the_templates(file: Path) -> None:
    """The resource group is the one that they create for the environment."""
    template = (ROOT / "infra" / "main.bicep").read_text("utf-8")
    [prefix] = re.findall(r"^  name: '(.*)\$\{environmentName\}'$", template, re.M)
    for line in lines(read(file), f"{BOT} doctor"):
        assert f'--resource-group "{prefix}$AZURE_ENV_NAME"' in line


def test_the_pipeline_may_assign_what_a_deployment_needs() -> None:
    """The condition of its role lists the templates' roles, and the one that `finish` assigns."""
    page = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    [listed] = re.findall(r'^ROLES="(.*)"$', page, re.M)
    modules = [file.read_text("utf-8") for file in ROOT.glob("infra/**/*.bicep")]
    assigned = {each for text in modules for each in re.findall(rf"'({GUID})'", text)}
    assert set(listed.split(", ")) == {*assigned, KEY_VAULT_CERTIFICATES_OFFICER.id}


@pytest.mark.parametrize(("added", "status"), [([], 0), (["late.py"], 1)])
def test_the_lists_of_files_are_compared(added: list[str], status: int, tmp_path: Path) -> None:
    """Names alone, in any order: contents may differ; Windows ends lines with CRLF."""
    [script] = [each for each in scripts(read(CI)) if "zipfile -l" in each]
    for file, names in {
        "linux/package.zip": ["host.json", "auth/a file.py"],
        "package.zip": ["auth/a file.py", *added, "host.json"],
    }.items():
        path = tmp_path / "artifacts" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as packed:
            for name in names:
                packed.writestr(name, file)
    ended = subprocess.run(
        [str(shutil.which("bash")), "--norc", "-eo", "pipefail", "-c", WINDOWS_PYTHON + script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    assert all(name in ended.stdout for name in added)


def test_each_file_that_is_named_exists() -> None:
    """Requirements, tests, templates, workflows and Dependabot's folders."""
    for file in (*WORKFLOWS, AZURE):
        for name in NAMED.findall(file.read_text("utf-8")):
            assert (ROOT / name).is_file(), name
    pip, actions = (each["directories"] for each in read(DEPENDABOT)["updates"])
    for folder in pip:
        named = [*(ROOT / folder.strip("/")).glob("requirements*.txt")]
        assert named or (ROOT / folder.strip("/") / "pyproject.toml").is_file(), folder
        assert folder != "/infra/hooks", "make constraints writes the list"
    assert actions == ["/", f"/{name_of(AUTHORS_CI.parent)}"]


def test_dependabot_leaves_the_base_to_its_updates() -> None:
    """In a bot's own repository it watches the bot's packages, and the actions."""
    updates = read(AUTHOR / ".github" / "dependabot.yml")["updates"]
    watched = {each["package-ecosystem"]: each["directory"] for each in updates}
    assert watched == {"pip": "/bot_logic", "github-actions": "/"}


@pytest.mark.parametrize(("changes", "status"), [("", 0), ("touch changed", 1)])
def test_a_bots_own_repository_is_tried(changes: str, status: int, tmp_path: Path) -> None:
    """On each system it is made, then tested and checked, which changes nothing in it."""
    made, tried = [each for each in scripts(read(CI)) if "../my-bot" in each]
    listed = tmp_path / "checkout" / "workbench" / "tests" / "requirements-all.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("check==1\ncopier==2.3\n", "utf-8")
    for script in (made, tried):
        ended = subprocess.run(
            [str(shutil.which("bash")), "--norc", "-eo", "pipefail", "-c", MY_BOT + script],
            cwd=tmp_path / "checkout",
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CHANGES": changes},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == status, ended.stderr
    assert (tmp_path / "calls").read_text("utf-8").splitlines() == [
        "python -m pip install copier==2.3",
        "python run.py template TO=../template WHEELS=../wheels",
        "copier copy --defaults ../template ../my-bot",
        "python run.py test",
        "python run.py check",
    ]


def test_other_systems_run_what_needs_no_unix() -> None:
    """Without Unix's modules the tests of the job for Windows and macOS pass."""
    assert lines(read(CI), "python run.py portable")
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, "-q", "--noconftest", *PORTABLE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ended.returncode == 0, ended.stdout[-2000:]
