"""The hook that packages: what it builds is what azd uploads, and it ends as its program does."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azd.hooks import TIMEOUT_SECONDS, Hooks
from tests.support.azd.project_copy import project_copy
from tests.support.azd.uploaded import uploaded

WAITS = """
import signal
print("building", flush=True)
try:
    signal.pause()
except KeyboardInterrupt:
    pass
"""
REFUSES = """
import sys
print("checked")
sys.exit("bot_logic/clé.pem is a private key")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With a package."""
    return project_copy(tmp_path / "project")


def files(folder: Path) -> set[str]:
    """All files below a folder."""
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def test_azd_uploads_the_whole_package(stage: DeploymentStage, project: Path) -> None:
    """All that the hook has built, its compiled files too, but for the .funcignore."""
    ended = Hooks(stage.thread.azure, stage.azd, project=project).run("prepackage")
    assert (ended.status, ended.output) == (0, f"Built {Path('artifacts', 'package')}\n")
    package = project / "artifacts" / "package"
    assert uploaded(package) == sorted(files(package) - {".funcignore"})


def test_without_its_funcignore_azd_leaves_files_out(stage: DeploymentStage, project: Path) -> None:
    """Compiled files, which each cold start would have to compile, and virtual environments."""
    Hooks(stage.thread.azure, stage.azd, project=project).run("prepackage")
    package = project / "artifacts" / "package"
    (package / ".funcignore").unlink()
    (package / "environment").mkdir()
    (package / "environment" / "pyvenv.cfg").touch()
    assert uploaded(package) == ["function_app.py", "package.sha256"]


def test_a_refusal_ends_the_hook(stage: DeploymentStage, tmp_path: Path) -> None:
    """azd stops, and shows both streams."""
    project = project_copy(tmp_path / "project", REFUSES)
    hooks = Hooks(stage.thread.azure, stage.azd, project=project)
    ended = hooks.run("prepackage", PYTHONIOENCODING="ascii")  # as poor as a pipe on Windows
    assert ended.status == 1
    assert sorted(ended.output.splitlines()) == ["bot_logic/clé.pem is a private key", "checked"]


def test_ctrl_c_ends_what_the_hook_has_started(stage: DeploymentStage, tmp_path: Path) -> None:
    """As in a terminal, with `azd hooks run`."""
    with waiting_hook(stage, tmp_path) as hook:
        os.killpg(hook.pid, signal.SIGINT)  # to the whole group, as a terminal sends it
        hook.communicate(timeout=TIMEOUT_SECONDS)  # the end of the pipe, which both have
        assert hook.returncode == 130


@contextmanager
def waiting_hook(stage: DeploymentStage, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A hook whose program waits for a signal."""
    project = project_copy(folder / "project", WAITS)
    hooks = Hooks(stage.thread.azure, stage.azd, project=project)
    with subprocess.Popen(
        hooks.command("prepackage"),
        env=hooks.environ(),
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    ) as hook:
        assert hook.stdout is not None
        assert hook.stdout.readline() == "building\n"
        yield hook
