"""The workbench as a Python project: what it needs, and what its wheel holds."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bot_workbench.project import THIRD_PARTY
from bot_workbench.setup.requirements import canonical, read
from composition import VERSION
from maintenance.tools import IN_WHEEL
from tests.support.installed import link_packages
from tests.support.project import ROOT

pytestmark = pytest.mark.extended

WORKBENCH = ROOT / "workbench"
PACKAGES = ("bot_workbench", "bot_testing")
PYPROJECT = tomllib.loads((WORKBENCH / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
NAME = canonical(PROJECT["name"])

NOT_IMPORTED = {
    "uv": "runs as a program",
    "pytest-asyncio": "calls a hook of bot_testing.plugin",
}
"""The names that are needed all the same, and why."""

PIP = "pip"
"""Every virtual environment that venv makes has it."""

INFO = f"bot_workbench-{VERSION}.dist-info"

BROUGHT = "bot_workbench/third_party"

LICENSES = {f"{BROUGHT}/{each}/licenses.txt" for each in ("azurite", "licenses")}

PUBLIC_DOMAIN = {"public domain", "http://geraintluff.github.io/tv4/LICENSE.txt"}
"""How packages say so."""

ARE_DONE = """
from bot_workbench.setup import tools
print([step.is_done() for step in (tools.PAGES, tools.AZURITE, tools.SCHEMAS)])
"""


def packages_of(lines: list[str]) -> set[str]:
    """The packages that some lines of pyproject.toml name, without the project itself."""
    return {canonical(Requirement(line).name) for line in lines} - {NAME}


DECLARED = packages_of(
    [*PROJECT["dependencies"], *(line for each in EXTRAS.values() for line in each)]
)


def test_without_extras_it_needs_what_the_hooks_do() -> None:
    """azd and pipelines run it with that list alone."""
    listed = read([ROOT / "infra" / "hooks" / "requirements.in"], [])
    assert packages_of(PROJECT["dependencies"]) == {line.name for line in listed}


def modules(file: Path) -> Iterator[str]:
    """What a file imports, wherever in it; of `from a import b` both `a.b` and `a`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def owners() -> dict[str, str]:
    """The distribution that has a module, by the module's name."""
    return {
        ".".join(file.with_suffix("").parts).removesuffix(".__init__"): canonical(each.name)
        for each in distributions()
        for file in each.files or ()
        if file.suffix == ".py"
    }


def owner(module: str) -> str:
    """The distribution of a module, or of the name that is imported from one."""
    while module and module not in owners():
        module = module.rpartition(".")[0]
    return owners().get(module, "")


def imported() -> dict[str, str]:
    """A file that imports it, by distribution, or by module where no distribution has it."""
    own = {*PACKAGES, *(each.stem for each in ROOT.iterdir() if each.suffix in ("", ".py"))}
    return {
        owner(module) or module: str(file.relative_to(WORKBENCH))
        for package in PACKAGES
        for file in (WORKBENCH / package).rglob("*.py")
        for module in modules(file)
        if module.partition(".")[0] not in own | sys.stdlib_module_names
    }


def test_what_it_imports_is_declared() -> None:
    """It is a dependency, in an extra, or the app's own; and nothing else is declared."""
    apps = {line.name for line in read([ROOT / "requirements.txt"], [])}
    found = imported()
    assert found.keys() - DECLARED - apps == {PIP}, found
    assert DECLARED - found.keys() == NOT_IMPORTED.keys()


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_what_it_needs_is_pinned(extra: str) -> None:
    """In a version of the range, where it is installed for `bot`; the kit's, where for tests."""
    file = "workbench/tests/requirements.txt" if extra == "testing" else "requirements-dev.txt"
    pins = {line.name: line.version for line in read([ROOT / file], []) if line.version}
    for needed in map(Requirement, EXTRAS[extra] if extra else PROJECT["dependencies"]):
        if canonical(needed.name) != NAME:
            assert needed.specifier.contains(pins[canonical(needed.name)]), needed
            assert len(needed.specifier) == 2, f"{needed} is no range"


def test_the_build_backend_is_installed() -> None:
    """In the version that pip would fetch: the set-up builds without a network."""
    pins = {line.text for line in read([ROOT / "requirements-dev.txt"], [])}
    assert {*PYPROJECT["build-system"]["requires"]} <= pins


def test_the_tools_have_one_configuration() -> None:
    """pytest, ruff and mypy find the repository's, wherever they start."""
    assert PYPROJECT["tool"].keys() == {"hatch"}


def test_the_license_is_the_repositorys() -> None:
    """A wheel takes no file from above the project's folder."""
    assert (WORKBENCH / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def build(project: Path, to: Path) -> Path:
    """Build the wheel without a network, and return its path."""
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(to)]
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", *options, str(project)]
    subprocess.run(command, check=True, cwd=to)
    [built] = to.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    if not all(step.is_done() for step in IN_WHEEL):
        pytest.skip("`make test ALL=1` installs what it holds, with npm")
    return build(WORKBENCH, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project in another folder, as a clone has it: nothing of npm is there."""
    copied = tmp_path / "clone" / "workbench"
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", THIRD_PARTY.name)
        shutil.copytree(WORKBENCH / name, copied / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copyfile(WORKBENCH / name, copied / name)
    shutil.copyfile(ROOT / "composition.py", copied.parent / "composition.py")
    return copied


def test_the_wheel_holds_two_packages(wheel: Path) -> None:
    """All their files, of any kind, what npm has brought, and the licenses; nothing else.

    Neither a test, nor a benchmark, nor what is compiled. Its version is the base's.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(command, cwd=WORKBENCH, capture_output=True, text=True, check=True)
    files = {name for name in listed.stdout.splitlines() if (WORKBENCH / name).is_file()}
    assert {Path(name).suffix for name in files} >= {".py", ".html", ".css", ".js", ".typed"}
    assert not any(name.startswith(f"{BROUGHT}/") for name in files)
    brought = {
        each.relative_to(WORKBENCH).as_posix() for each in THIRD_PARTY.rglob("*") if each.is_file()
    }
    assert brought > LICENSES
    own = {"METADATA", "RECORD", "WHEEL", "entry_points.txt"}
    info = {f"{INFO}/{name}" for name in own}
    info |= {f"{INFO}/licenses/{name}" for name in ("LICENSE", *LICENSES)}
    with zipfile.ZipFile(wheel) as archive:
        assert sorted(archive.namelist()) == sorted(files | brought | info)


def test_its_license_is_that_of_all_it_holds(wheel: Path) -> None:
    """The expression has the licenses of its own files, and of each package; no other one."""
    titles = re.compile(r"^={80}\n\S+ \S+ \((.+)\)$", re.M)
    with zipfile.ZipFile(wheel) as archive:
        texts = [archive.read(name).decode() for name in LICENSES]
        [line] = re.findall(
            r"^License-Expression: (.+)", archive.read(f"{INFO}/METADATA").decode(), re.M
        )
    found = {each for text in texts for each in titles.findall(text)}
    assert found > PUBLIC_DOMAIN
    assert {*line.split(" AND ")} == found - PUBLIC_DOMAIN | {"MIT", "LicenseRef-Public-Domain"}


def test_the_same_files_give_the_same_wheel(wheel: Path, project: Path, tmp_path: Path) -> None:
    """Wherever they are, whatever their times, and what a killed set-up has left."""
    shutil.copytree(THIRD_PARTY, project / BROUGHT, copy_function=shutil.copy)
    (project / BROUGHT / "azurite" / "scratch").mkdir()
    (project / BROUGHT / "azurite" / "scratch" / "index.js").touch()
    assert build(project, tmp_path).read_bytes() == wheel.read_bytes()


def test_a_clone_installs_it_before_npm_has_run(project: Path, tmp_path: Path) -> None:
    """`make run` first makes the environment; the package is editable there."""
    code = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=project, check=True)
    [built] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        assert not [name for name in archive.namelist() if BROUGHT in name]


def test_the_wheel_runs_without_extras(wheel: Path, tmp_path: Path) -> None:
    """`bot` lists its commands, and the doctor its options, in a new environment.

    What npm would install is there.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [packages] = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    link_packages(packages_of(PROJECT["dependencies"]), packages)
    options = ["--python", str(tmp_path / "venv" / "bin" / "python"), "--no-input"]
    command = [sys.executable, "-m", "pip", *options, "install", "--quiet", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, cwd=tmp_path)
    assert not (packages / "aiohttp").exists()
    for words, said in ((["--help"], "dead-letters"), (["doctor", "--help"], "Usage: bot doctor")):
        ended = subprocess.run(
            [tmp_path / "venv" / "bin" / "bot", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert said in ended.stdout
    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", ARE_DONE],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[True, True, True]\n", "without npm and node"
