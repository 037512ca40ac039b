"""A template that `make template` lays out, and a bot's repository that copier makes of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maintenance.template import lay_out

WHEEL = "https://example.com/bot_workbench-{}-py3-none-any.whl#sha256=" + 64 * "0"
AUTHOR = {
    "GIT_AUTHOR_NAME": "author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "author",
    "GIT_COMMITTER_EMAIL": "author@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *words: str) -> str:
    """The output of git, run in a folder.

    Raises:
        CalledProcessError: it fails.
    """
    command = ["git", *words]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | AUTHOR, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(folder: Path, tag: str = "") -> None:
    """Commit all that is in a folder, and tag it."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", tag or "Change")
    if tag:
        git(folder, "tag", tag)


def copier(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run copier in a folder."""
    command = [sys.executable, "-m", "copier", *words]
    return subprocess.run(
        command, cwd=folder, env=os.environ | AUTHOR, check=False, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's repository, with the tag v1."""
    folder = tmp_path_factory.mktemp("template")
    lay_out(folder, WHEEL.format("1"), folder)
    git(folder, "init", "--quiet")
    commit(folder, "v1")
    return folder


@pytest.fixture(scope="module")
def author(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What copier makes of it, committed."""
    folder = tmp_path_factory.mktemp("authors") / "Canteen Bot"
    done = copier(folder.parent, "copy", "--defaults", str(template), folder.name)
    assert done.returncode == 0, done.stderr
    git(folder, "init", "--quiet")
    commit(folder)
    return folder
