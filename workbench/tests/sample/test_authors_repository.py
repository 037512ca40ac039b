"""The sample's tests pass in an author's repository: no test of ours, the workbench as a wheel."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

import bot_testing
import bot_workbench
from bot_workbench.setup.python_packages import python_of
from tests.support.project import ROOT

pytestmark = pytest.mark.extended(covered_by=["tests/test_public_names.py"])

FOLDERS = ("auth", "bot_logic", "cloud_adapter", "http_client", "app_package", "tests/bot_logic")
FILES = (
    "function_app.py",
    "composition.py",
    "host.json",
    ".funcignore",
    "local.settings.json.example",
    "requirements.txt",
    "requirements-telemetry.txt",
    "constraints.txt",
)
WHEEL = (bot_testing, bot_workbench)
CONFTEST = 'pytest_plugins = ["bot_testing.plugin"]\n'
NO_CACHE = shutil.ignore_patterns("__pycache__")
KEPT = ("PATH", "HOME", "TMPDIR")
OURS = ("testpaths", "markers")
"""What only this repository's section of pytest's settings has."""
MIN_TESTS = 150


def python_with_wheel(folder: Path) -> Path:
    """A Python that has our packages, but the workbench's two as a wheel installs them.

    This environment's packages are on its path; the file that puts our workbench there is not read.
    """
    installed = folder / "wheel"
    for package in WHEEL:
        [source] = package.__path__
        shutil.copytree(source, installed / package.__name__, ignore=NO_CACHE)
    venv.create(folder / "venv", with_pip=False)
    python = python_of(folder / "venv")
    [site] = (folder / "venv").glob("**/site-packages")
    site.joinpath("paths.pth").write_text(f"{installed}\n{sysconfig.get_path('purelib')}\n")
    return python


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python as an author has it."""
    return python_with_wheel(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An author's repository."""
    folder = tmp_path_factory.mktemp("author")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=NO_CACHE)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    (folder / "conftest.py").write_text(CONFTEST)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    section = settings["tool"]["pytest"]["ini_options"]
    # Strings, numbers and lists are the same in JSON.
    lines = (f"{name} = {json.dumps(section[name])}" for name in section if name not in OURS)
    (folder / "pyproject.toml").write_text("\n".join(["[tool.pytest.ini_options]", *lines]))
    return folder


def run(python: Path, author: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the author's repository, without the settings of this process."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    command = [str(python), *arguments]
    return subprocess.run(
        command, cwd=author, env=environ, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.parametrize("module", ["tests.support", "tests.docs", "tests.test_imports"])
def test_our_tests_are_not_there(python: Path, author: Path, module: str) -> None:
    """Nothing of them can be imported."""
    done = run(python, author, "-c", f"import bot_testing, tests.bot_logic, {module}")
    assert f"No module named '{module}'" in done.stderr


def test_the_samples_tests_pass(python: Path, author: Path) -> None:
    """All of them, and pytest needs none of our marks."""
    done = run(python, author, "-m", "pytest", "-p", "no:cacheprovider", "-m", "")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = re.search(r"(\d+) passed in .*", done.stdout)
    assert summary
    assert int(summary[1]) > MIN_TESTS
    print(summary[0])
