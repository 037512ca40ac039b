"""What `func azure functionapp publish` packs, and that it suffices."""

import fnmatch
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from tests.support.bot_process import BotProcess
from tests.support.cloud_thread import CloudThread
from tests.support.http_post import Caller
from tests.support.token_press import TokenPress

ROOT = Path(__file__).parent.parent
PARTS = ("auth", "bot_logic", "cloud_adapter")
FILES = {"function_app.py", "host.json", "requirements.txt"}


def packed() -> Iterator[PurePosixPath]:
    """The tracked files that .funcignore lets through (gitignore syntax, the part it uses)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    lines = (ROOT / ".funcignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for path in map(PurePosixPath, listed):
        if not is_ignored(path, patterns):
            yield path


def is_ignored(path: PurePosixPath, patterns: list[str]) -> bool:
    """The last pattern that matches the path, or a folder it is in, decides."""
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        candidates = [path, *path.parents][:-1]
        if any(matches(candidate, wanted) for candidate in candidates):
            ignored = not pattern.startswith("!")
    return ignored


def matches(path: PurePosixPath, pattern: str) -> bool:
    """One pattern of gitignore against one path."""
    plain = pattern.strip("/")
    if pattern.startswith("/") or "/" in plain:
        return fnmatch.fnmatchcase(str(path), plain)
    return fnmatch.fnmatchcase(path.name, plain)


def test_only_what_runs_in_azure() -> None:
    """The package holds the three parts, the function app and its two files; nothing else."""
    files = set(packed())
    assert {str(path) for path in files if len(path.parts) == 1} == FILES
    assert {path.parts[0] for path in files if len(path.parts) > 1} == set(PARTS)
    assert all(path.suffix == ".py" for path in files if len(path.parts) > 1)


def test_the_package_suffices(
    running_cloud: CloudThread, logs: Path, tmp_path: Path, message: dict[str, Any]
) -> None:
    """The app runs a turn from a folder that has only the package's files."""
    app = tmp_path / "wwwroot"
    for path in packed():
        target = app / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    cloud = running_cloud.cloud
    # The host itself is found through PYTHONPATH, which comes before the app's folder: hide ours.
    host = tmp_path / "host"
    (host).mkdir()
    (host / "emulator").symlink_to(ROOT / "emulator")
    settings = cloud.settings() | {"PYTHONPATH": str(host)}
    with BotProcess(settings, logs / "package.log", app=app) as process:
        caller = Caller(process.url)
        token = TokenPress(cloud, message).token()
        assert caller.deliver(message, f"Bearer {token}").status == 200
        caller.close()
