"""`bot` installs its packages at its first use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT

PACKAGES = """
import dataclasses
from bot_workbench.setup import tools
from bot_workbench.setup.requirements import RequirementsError

def fitting(bots):
    if bots:
        raise RequirementsError("old pins")
    return True

@dataclasses.dataclass
class Packages:
    bots: tuple = ("bot_logic",)
    title, weight, is_needed, needs_node = "The packages", 1.0, True, False

    def is_done(self):
        return {done}

    def run(self, report, log):
        {runs}

tools.PYTHON = Packages()
tools.NEEDS = {{"setup": (Packages(),) * 4, "constraints": (Packages(bots=()),)}}
import sys
sys.argv[1:] = {words}
import runpy
runpy.run_module("bot_workbench", run_name="__main__")
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app's folder, whose environment is this one."""
    for name in ("function_app.py", "host.json"):
        (tmp_path / name).touch()
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def ended(
    app: Path, *words: str, done: str = "False", runs: str = "return 'installed'"
) -> "subprocess.CompletedProcess[str]":
    """A command, with a step in place of the packages."""
    code = PACKAGES.format(done=done, runs=runs, words=list(words))
    return subprocess.run(
        [sys.executable, "-c", code], cwd=app, capture_output=True, text=True, check=False
    )


def test_what_is_missing_is_installed(app: Path) -> None:
    """Standard output has only the answer."""
    done = ended(app, "--help")
    assert "Usage: bot" in done.stdout
    assert "installed" in done.stderr
    assert "installed" not in done.stdout


def test_everything_can_be_installed_at_once(app: Path) -> None:
    """The pages' libraries, Azurite and the validators, as well as the bot's packages."""
    done = ended(app, "setup")
    assert done.returncode == 0
    assert done.stderr.splitlines().count("installed") == 4


def test_nothing_is_set_up_twice(app: Path) -> None:
    """Not what is there."""
    done = ended(app, "--help", done="True")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_set_up_that_fails(app: Path) -> None:
    """It says why."""
    fails = "from bot_workbench.setup.errors import SetUpError; raise SetUpError('no network')"
    done = ended(app, "--help", runs=fails)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no network\n" in done.stderr


def test_the_pins_of_a_bot_do_not_fit(app: Path) -> None:
    """The command that writes them runs all the same, and no other one."""
    refused = ended(app, "check", "--help", done="fitting(self.bots)")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.endswith("old pins\n")
    cured = ended(app, "constraints", "--help", done="fitting(self.bots)")
    assert (cured.returncode, cured.stderr) == (0, "")
    assert "--upgrade" in cured.stdout


def test_another_python_installs_nothing(app: Path) -> None:
    """It has what a pipeline has installed, and says what it lacks."""
    (app / ".venv").unlink()
    assert ended(app, "--help").stderr == ""
    code = "import sys\nsys.modules['rich'] = None\n" + PACKAGES.format(
        done="True", runs="pass", words=["--help"]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=app, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(r"rich[.\w]* is missing: run `python run.py setup` in the bot", done.stderr)


def test_the_editor_runs_the_same() -> None:
    """The console script of the environment is the module."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bot")), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: bot" in done.stdout
