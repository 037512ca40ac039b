"""What `func azure functionapp publish` packs, and that it suffices."""

import platform
import re
import sys
import sysconfig
from contextlib import closing
from pathlib import Path

import pytest

from bot_testing.cloud_thread import CloudThread
from emulator.cloud import APP_TYPES, Cloud
from emulator.commands.funcignore import FuncIgnore
from emulator.loopback import SHORT_LOOPBACK
from tests.support.bots.app_folder import host_alone
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.project import ROOT
from tests.support.wire.http_post import Caller

FOLDERS = {"auth", "bot_logic", "cloud_adapter", "http_client"}
FILES = {
    *("function_app.py", "composition.py"),
    *("host.json", "requirements.txt", "constraints.txt"),
}

NO_SITE_PACKAGES = ("-S",)
WORKER_PACKAGES = ("azure_functions_runtime", "azurefunctions", "httptools", "uvloop")

FUNCTION_KEY = "a key of the function app"

AZURE = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "",
    "WEBSITE_INSTANCE_ID": "an instance",
    "WEBSITE_SITE_NAME": "my-bot-0815",
    "AllowedServiceHosts": SHORT_LOOPBACK,
}
"""What Azure sets; and the host of the tests' connector: this machine, under a name that the app
does not take for loopback."""


def test_only_what_runs_in_azure(uploaded: Path) -> None:
    """The package holds the deployed folders, the function app and its files; nothing else."""
    files = set(FuncIgnore((uploaded / ".funcignore").read_text()).files(uploaded))
    assert {str(path) for path in files if len(path.parts) == 1} == FILES
    assert {path.parts[0] for path in files if len(path.parts) > 1} == FOLDERS
    assert all(path.suffix == ".py" for path in files if len(path.parts) > 1)


def required(path: Path) -> set[str]:
    """The packages that a requirements file names itself."""
    lines = path.read_text().splitlines()
    return {line.partition("==")[0] for line in lines if re.match("[A-Za-z]", line)}


def test_no_dependency_of_development() -> None:
    """Azure gets what docs/architecture.md argues for, and nothing of development."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("### Deployed")[2].partition("\n### ")[0]
    argued = set(re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)) - {"package"}
    deployed = required(ROOT / "requirements.txt")
    assert deployed == argued
    assert not deployed & required(ROOT / "requirements-dev.txt")


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the package is for Linux"
)
@pytest.mark.parametrize("credential", list(APP_TYPES))
def test_it_runs_as_in_azure(credential: str, packed: Path, tmp_path: Path, logs: Path) -> None:
    """In Azure's environment, specialized and read-only, the package alone runs a turn."""
    site = Path(sysconfig.get_path("platlib"))
    host = host_alone(tmp_path / "host", {name: site / name for name in WORKER_PACKAGES})
    options = ("--specialize", "--read-only", "--function-key", FUNCTION_KEY)
    log = logs / f"package {credential}.log"
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        settings = thread.cloud.settings() | AZURE | host
        with (
            BotProcess(settings, log, packed, options, NO_SITE_PACKAGES) as process,
            closing(Caller(process.url)) as caller,
        ):
            user = User(thread.cloud, caller, host=SHORT_LOOPBACK)
            assert user.says("hello") == 200
            assert user.texts() == ["You said: hello"]
            assert caller.send("GET", "/api/health", []).status == 200
            assert caller.send("GET", "/api/identity", []).status == 401
            answer = caller.send("GET", "/api/identity", [("x-functions-key", FUNCTION_KEY)])
            assert answer.json()["appId"] == thread.cloud.registration.app_id
            user.token = ""
            assert user.says("hello") == 401
    assert process.returncode == 0, "something was written into the package"
