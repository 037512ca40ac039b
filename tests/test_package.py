"""What `func azure functionapp publish` packs, and that it suffices."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from tests.support.bot_process import BotProcess
from tests.support.cloud_thread import CloudThread
from tests.support.http_post import Caller
from tests.support.token_press import TokenPress

ROOT = Path(__file__).parent.parent
PARTS = ("auth", "bot_logic", "cloud_adapter")
FILES = {"function_app.py", "host.json", "requirements.txt", "constraints.txt"}


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
    """The package holds the three parts, the function app and its three files; nothing else."""
    files = set(packed())
    assert {str(path) for path in files if len(path.parts) == 1} == FILES
    assert {path.parts[0] for path in files if len(path.parts) > 1} == set(PARTS)
    assert all(path.suffix == ".py" for path in files if len(path.parts) > 1)


def test_compiled_at_home(tmp_path: Path) -> None:
    """What docs/deploy.md has compiled is used where files have other times, until it is stale."""
    lines = (ROOT / "docs" / "deploy.md").read_text().splitlines()
    [command] = [line for line in lines if "compileall" in line]
    python, *arguments = command.split()
    assert python == "python3.13"
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, *arguments], cwd=tmp_path, check=True)
    source = tmp_path / "auth" / "clouds.py"
    os.utime(source, (1, 1))
    assert f"code object from '{source.with_name('__pycache__')}" in verbose_import(tmp_path)
    source.write_text(source.read_text() + "CHANGED = True\n")
    assert f"code object from '{source.with_name('__pycache__')}" not in verbose_import(tmp_path)


def verbose_import(folder: Path) -> str:
    """What Python tells of an import of `auth.clouds` from a folder that it cannot write to."""
    told = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import auth.clouds"],
        env={"PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return "".join(line for line in told.stderr.splitlines() if "clouds" in line)


def required(path: Path) -> set[str]:
    """The packages that a requirements file names itself."""
    lines = path.read_text().splitlines()
    return {line.partition("==")[0] for line in lines if re.match("[A-Za-z]", line)}


def test_no_dependency_of_development() -> None:
    """What is installed in Azure is what docs/decisions.md argues for, nothing of development."""
    text = (ROOT / "docs" / "decisions.md").read_text()
    table = text.partition("## Dependencies of the deployed app")[2].partition("\n## ")[0]
    argued = set(re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)) - {"package"}
    deployed = required(ROOT / "requirements.txt")
    assert deployed == argued
    assert not deployed & required(ROOT / "requirements-dev.txt")


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
