"""What `func azure functionapp publish` packs, and that it suffices."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulator.funcignore import FuncIgnore
from tests.support.bot_process import BotProcess
from tests.support.cloud_thread import CloudThread
from tests.support.http_post import Caller
from tests.support.token_press import TokenPress

ROOT = Path(__file__).parent.parent
PARTS = ("auth", "bot_logic", "cloud_adapter")
FILES = {"function_app.py", "host.json", "requirements.txt", "constraints.txt"}


def packed() -> Iterator[Path]:
    """The files that are uploaded; their paths from the root."""
    return FuncIgnore((ROOT / ".funcignore").read_text()).files(ROOT)


def test_only_what_runs_in_azure() -> None:
    """The package holds the three parts, the function app and its three files; nothing else."""
    files = set(packed())
    assert {str(path) for path in files if len(path.parts) == 1} == FILES
    assert {path.parts[0] for path in files if len(path.parts) > 1} == set(PARTS)
    assert all(path.suffix == ".py" for path in files if len(path.parts) > 1)


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
