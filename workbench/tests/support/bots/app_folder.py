"""Folders with the deployed app, in which the bot and some files are a test's own."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot_workbench.app_folder import BOT, link_app
from bot_workbench.funcignore import FuncIgnore
from bot_workbench.setup.requirements import CONSTRAINTS, REQUIREMENTS
from tests.support.project import ROOT

TEST_BOT = ROOT / "workbench" / "tests" / "support" / "test_bot"
"""The bot of the base's tests."""


def app_with(folder: Path, own: Mapping[str, str], bot: Path = TEST_BOT) -> Path:
    """Link the app into a folder, but for a test's own files.

    Args:
        folder: is made.
        own: contents by path. What they have at the app's root, such as `bot_logic`, is theirs
            alone.
        bot: the bot's folder, unless it is among `own`.
    """
    folder.mkdir()
    link_app(folder, bot)
    for name, content in own.items():
        at_root = folder / Path(name).parts[0]
        if at_root.is_symlink():
            at_root.unlink()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@functools.cache
def tests_app() -> Path:
    """The app with the bot of the base's tests; the same folder for the whole process."""
    parent = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    return app_with(Path(parent) / "app", {})


def uploaded_app(folder: Path, bot: Path = TEST_BOT) -> Path:
    """Copy what would be uploaded into a folder, with another bot, which may name no packages."""
    ignore = (ROOT / ".funcignore").read_text()
    for path in FuncIgnore(ignore).files(ROOT):
        if path.parts[0] != BOT:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
    shutil.copytree(bot, folder / BOT, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (REQUIREMENTS, CONSTRAINTS):
        (folder / BOT / name).touch()
    (folder / ".funcignore").write_text(ignore)
    return folder


def host_alone(folder: Path, packages: Mapping[str, Path] | None = None) -> dict[str, str]:
    """Settings with which a host finds itself, but not the project's own app.

    Args:
        folder: is made.
        packages: more of them, by name.
    """
    folder.mkdir()
    for name, path in {
        "bot_workbench": ROOT / "workbench" / "bot_workbench",
        **(packages or {}),
    }.items():
        (folder / name).symlink_to(path)
    return {"PYTHONPATH": str(folder)}
