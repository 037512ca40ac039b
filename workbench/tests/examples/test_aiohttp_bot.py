"""examples/aiohttp_bot runs beside a copy of auth and http_client, and nothing else of ours."""

import ast
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from auth.credential_kinds import CERTIFICATE, KINDS
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.loopback import free_port
from tests.support.botbuilder import configuration
from tests.support.bots.user import User
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended

EXAMPLE = ROOT / "examples" / "aiohttp_bot"
COPIED = ("auth", "http_client")

MAIN = """
import os, sys
from aiohttp import web
from aiohttp_bot.app import create_app
from botbuilder_configuration import BotbuilderConfiguration

app = create_app(os.environ, BotbuilderConfiguration(os.environ))
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a team has that copies the example and the two folders."""
    folder = tmp_path / "team"
    for source in (*(ROOT / name for name in COPIED), EXAMPLE):
        ignored = shutil.ignore_patterns("__pycache__", "test_*.py")
        shutil.copytree(source, folder / source.name, ignore=ignored)
    # Only because this cloud is not the public one.
    shutil.copy(configuration.__file__, folder / "botbuilder_configuration.py")
    (folder / "main.py").write_text(MAIN)
    return folder


@pytest.mark.parametrize(
    ("credential", "app_type"),
    [*((each, "") for each in KINDS), (CERTIFICATE, "MultiTenant")],
)
def test_it_answers_with_each_credential(
    folder: Path, tmp_path: Path, credential: str, app_type: str
) -> None:
    """The connector accepts the bot's token; botbuilder refuses a forged activity."""
    with CloudThread(Cloud(tmp_path, credential, app_type)) as thread:
        cloud, port = thread.cloud, free_port()
        environ = {"PATH": "", "PYTHONUNBUFFERED": "1", **cloud.settings()}
        command = [sys.executable, "main.py", str(port)]
        with Program(
            command, env=environ, cwd=folder, stdout=subprocess.PIPE, text=True
        ) as program:
            while "Running on" not in program.line():
                pass
            caller = Caller(f"http://127.0.0.1:{port}")
            user = User(cloud, caller)
            assert user.says("hello") == 201
            assert user.texts() == ["You said: hello"]
            claims = jwt.decode(user.token, options={"verify_signature": False})
            user.token = TokenIssuer().sign(claims)
            assert user.says("forged") >= 400
            assert user.texts() == ["You said: hello"]
            caller.close()
            program.terminate()
            program.communicate(timeout=30)
        assert program.returncode == 0


def test_wrong_settings(folder: Path) -> None:
    """Without its settings, it ends with all that is to be set, and no traceback."""
    command = [sys.executable, "-m", "aiohttp_bot.app"]
    with Program(
        command, env={"PATH": ""}, cwd=folder, stderr=subprocess.PIPE, text=True
    ) as program:
        _, errors = program.communicate(timeout=60)
    assert program.returncode == 1
    assert errors.startswith("The settings are wrong:\n- MicrosoftAppType: ")
    assert "Traceback" not in errors


def test_all_that_it_imports_is_in_its_requirements() -> None:
    """requirements.txt has the project's own version of each package that the folders import."""
    texts = (EXAMPLE / "requirements.txt").read_text().splitlines()
    lines = {line for line in texts if line and not line.startswith("#")}
    listed = {line.partition("==")[0] for line in lines}
    assert lines == {f"{name}=={importlib.metadata.version(name)}" for name in listed}
    with_theirs = {"azure-core": "azure-identity", "botframework-connector": "botbuilder-core"}
    with_theirs |= {"botbuilder-core": "botbuilder-integration-aiohttp"}
    needed = set()
    for distribution in _imported():
        while distribution not in listed and distribution in with_theirs:
            distribution = with_theirs[distribution]
        needed.add(distribution)
    assert needed == listed


def _imported() -> set[str]:
    """The distributions that the copied folders and the example import."""
    modules: set[str] = set()
    for folder in (*(ROOT / name for name in COPIED), EXAMPLE):
        for file in folder.rglob("*.py"):
            if file.name.startswith("test_"):
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules.add(node.module)
    roots = {module.partition(".")[0] for module in modules}
    roots -= {*sys.stdlib_module_names, *COPIED}
    return {_distribution_of(module) for module in modules if module.partition(".")[0] in roots}


def _distribution_of(module: str) -> str:
    names = importlib.metadata.packages_distributions()[module.partition(".")[0]]
    if len(set(names)) == 1:
        return names[0]
    # Namespaces such as azure are shared by many: the longest name that fits is the one.
    dashed = module.replace(".", "-").replace("_", "-")
    return max((name for name in names if dashed.startswith(name)), key=len)
