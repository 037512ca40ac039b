"""The command with an .env file of somebody's own, and a stand-in for azd."""

import io
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.admin.app_package.filled_manifest import manifest_text
from bot_workbench.command_line import run as main
from tests.app_package.conftest import BOT_ID, MANIFEST, VALUES, without_features
from tests.support.project import ROOT

PROGRAM = """#!{python}
import pathlib, sys
pathlib.Path({calls!r}).open("a").write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[2] == "list":
    print({environments!r})
    sys.exit()
print({output!r}, end="")
print({error!r}, end="", file=sys.stderr)
sys.exit({status})
"""
DEPLOYED = (
    f'AZURE_ENV_NAME="canteen"\nBOT_CREDENTIAL="Federated"\nBOT_ID="{BOT_ID}"\n'
    'BOT_ENDPOINT="https://func-canteen.azurewebsites.net/api/messages"\n'
)


@pytest.fixture(autouse=True)
def _no_azd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no azd on this machine, and the shell names no environment of it."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("AZURE_ENV_NAME", raising=False)


@pytest.fixture
def azd(tmp_path: Path) -> Callable[..., Path]:
    """Installs an azd whose default environment has these values.

    The file that is returned gets its calls.
    """
    if os.name == "nt":
        pytest.skip("the stand-in is a script with a shebang")

    def install(
        output: str = DEPLOYED, error: str = "", status: int = 0, default: str = "canteen"
    ) -> Path:
        calls, program = tmp_path / "calls", tmp_path / "bin" / "azd"
        program.parent.mkdir(exist_ok=True)
        names = ("canteen", "production")
        listed = [{"Name": name, "IsDefault": name == default} for name in names]
        program.write_text(
            PROGRAM.format(
                python=sys.executable,
                calls=str(calls),
                environments=json.dumps(listed),
                output=output,
                error=error,
                status=status,
            )
        )
        program.chmod(0o755)
        return calls

    return install


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """The project's .env.dev, with a publisher's names and addresses."""
    text = (ROOT / "env" / ".env.dev").read_text("utf-8")
    for name, value in VALUES.items():
        if name.startswith(("DEVELOPER", "APP_NAME")):
            text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.M)
    path = tmp_path / ".env.dev"
    path.write_text(text, "utf-8")
    copy_app(tmp_path)
    return path


def copy_app(folder: Path) -> Path:
    """Copy the project's app_package to a folder, without features in the manifest.

    Returns:
        The manifest.
    """
    shutil.copytree(MANIFEST.parent, folder / "app_package")
    path = folder / "app_package" / "manifest.json"
    manifest = without_features(json.loads(path.read_text("utf-8")))
    path.write_text(f"{manifest_text(manifest)}\n", "utf-8")
    return path


def manifest_beside(env_file: Path) -> Path:
    """The manifest that `run` reads."""
    return env_file.parent / "app_package" / "manifest.json"


def run(env_file: Path, *words: str) -> object:
    """Run the command; returns its exit status."""
    to = str(env_file.parent / "out" / "app.zip")
    with pytest.raises(SystemExit) as ending:
        main(
            [
                "app-package",
                "--env-file",
                str(env_file),
                "--to",
                to,
                "--manifest",
                str(manifest_beside(env_file)),
                *words,
            ]
        )
    return ending.value.code


def package(env_file: Path) -> bytes:
    """The zip."""
    return (env_file.parent / "out" / "app.zip").read_bytes()


def manifest_of(env_file: Path) -> dict[str, Any]:
    """The manifest in the zip."""
    with zipfile.ZipFile(io.BytesIO(package(env_file))) as packed:
        found: dict[str, Any] = json.loads(packed.read("manifest.json"))
    return found


GIVEN = ("--set", f"BOT_ID={BOT_ID}", "--set", "BOT_DOMAIN=bot.canteen.test")
