"""What `func azure functionapp publish` packs, and that it suffices."""

import importlib.util
import platform
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.commands import package
from bot_workbench.commands.imports import SITE_PACKAGES
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import SHORT_LOOPBACK
from bot_workbench.funcignore import FuncIgnore
from tests.support.bots.app_folder import host_alone, uploaded_app
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.extended import credentials
from tests.support.project import ROOT
from tests.support.wire.http_post import Caller

FOLDERS = {"auth", "bot_logic", "cloud_adapter", "http_client"}
FILES = {
    *("function_app.py", "composition.py"),
    *("host.json", "requirements.txt", "requirements-telemetry.txt", "constraints.txt"),
}

NO_SITE_PACKAGES = ("-S",)
WORKER_PACKAGES = (
    *("azure_functions_runtime", "azurefunctions", "httptools", "uvloop"),
    *("croniter", "dateutil", "six.py"),
)

FUNCTION_KEY = "a key of the function app"

AZURE = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "",
    "WEBSITE_INSTANCE_ID": "an instance",
    "WEBSITE_SITE_NAME": "my-bot-0815",
    "AllowedServiceHosts": SHORT_LOOPBACK,
}
"""The variables that Azure sets; and the host of the tests' connector: this machine, under a name
that the app does not take for loopback."""


def test_only_what_runs_in_azure(uploaded: Path) -> None:
    """The package holds the deployed folders, the function app and its files; nothing else."""
    files = set(FuncIgnore((uploaded / ".funcignore").read_text()).files(uploaded))
    assert {str(path) for path in files if len(path.parts) == 1} == FILES
    assert {path.parts[0] for path in files if len(path.parts) > 1} == FOLDERS
    code = [path for path in files if len(path.parts) > 1 and path.parts[0] != "bot_logic"]
    assert all(path.suffix == ".py" for path in code)


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
@pytest.mark.parametrize("credential", credentials("tests/end_to_end/security/test_sign_in.py"))
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
            assert answer.json()["package"] == (packed / "package.sha256").read_text().strip()
            user.token = ""
            assert user.says("hello") == 401
    assert process.returncode == 0, "something was written into the package"


OWN_BOT = {
    "__init__.py": """
from pathlib import Path

from botbuilder.core import ActivityHandler, MessageFactory

from dialogs.greeting import greeting
from .texts import text


class OwnBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        logo = Path("resources/images/logo.png").read_bytes()
        await turn_context.send_activity(f"{greeting()} {text()} {len(logo)}")


def create_bot(services):
    return OwnBot()
""",
    "dialogs/__init__.py": "",
    "dialogs/greeting.py": """
import json
import os


def greeting():
    with open(os.path.join(os.getcwd(), "resources", "greeting.json")) as file:
        return json.load(file)["text"]
""",
    "texts.py": """
from pathlib import Path


def text():
    return (Path(__file__).parent / "texts" / "de" / "hello.txt").read_text().strip()
""",
    "texts/de/hello.txt": "Hallo",
    "resources/greeting.json": '{"text": "Hi"}',
    "resources/images/logo.png": "four",
    "routes.py": """
import azure.functions as func


def create_routes(ready):
    routes = func.Blueprint()

    @routes.route("own/{id?}", methods=["GET"])
    async def own(req: func.HttpRequest) -> func.HttpResponse:
        services = await ready()
        return func.HttpResponse(f"{req.route_params.get('id')} {services.app_id}")

    @routes.timer_trigger("timer", "0 0 0 1 1 *")
    async def own_timer(timer: func.TimerRequest) -> None:
        await ready()

    return routes
""",
}
"""A bot in the idiom of those that are run from their own folder, with what it reads."""


def test_bot_with_resources(packed: Path, tmp_path: Path, logs: Path) -> None:
    """The package list carries what a bot of many folders reads, and its own triggers."""
    for name, content in OWN_BOT.items():
        file = tmp_path / "bot" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    source = uploaded_app(tmp_path / "source", tmp_path / "bot")

    def install(_requirements: Path, target: Path) -> None:
        target.parent.mkdir(parents=True)
        target.symlink_to(packed / SITE_PACKAGES)

    assert package.build(source, tmp_path / "package", install) == []
    with running_package(tmp_path, logs / "own bot.log") as (process, user):
        assert user.says("hello") == 200
        assert user.texts() == ["Hi Hallo 4"]
        app_id = user.cloud.registration.app_id
        assert user.caller.send("GET", "/api/own/7", []).body.decode() == f"7 {app_id}"
        assert user.caller.send("GET", "/api/own", []).body.decode() == f"None {app_id}"
        assert "own_timer" in process.ready


@pytest.mark.extended
def test_bot_with_requirements(tmp_path: Path, logs: Path) -> None:
    """The package has what the bot's own requirements.txt brings, compiled like the rest."""
    source = uploaded_app(tmp_path / "source", ROOT / "examples" / "dialog")
    package.build(source, tmp_path / "package")
    packages = tmp_path / "package" / SITE_PACKAGES
    compiled = importlib.util.cache_from_source(str(packages / "botbuilder/dialogs/__init__.py"))
    assert Path(compiled).exists()
    with running_package(tmp_path, logs / "dialog bot.log") as (_, user):
        for text in ("hi", "Ada", "soup", "2"):
            assert user.says(text) == 200
        assert user.texts()[0] == "Who is the order for?"
        assert user.texts()[-1] == "When will you pick it up?"


@contextmanager
def running_package(scratch: Path, log: Path) -> Iterator[tuple[BotProcess, User]]:
    """The package in the folder `package`, running as in Azure, and a user."""
    site = Path(sysconfig.get_path("platlib"))
    host = host_alone(scratch / "host", {name: site / name for name in WORKER_PACKAGES})
    options = ("--specialize", "--read-only")
    with CloudThread(Cloud(scratch)) as thread:
        settings = thread.cloud.settings() | AZURE | host
        with (
            BotProcess(settings, log, scratch / "package", options, NO_SITE_PACKAGES) as process,
            closing(Caller(process.url)) as caller,
        ):
            yield process, User(thread.cloud, caller, host=SHORT_LOOPBACK)
    assert process.returncode == 0, "something was written into the package"
