"""The program of azd's hooks. Old versions of Python can read it, too, and say that they are too
old."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

APP = Path(__file__).resolve().parents[2]
WORKBENCH = str(APP / "workbench")
"""The repository of the base has it; in that of a bot's author, it is an installed package."""

sys.path.append(WORKBENCH)

PACKAGE_COMMAND = ("package", "--no-measure", "--to", "artifacts/package")
"""The command that builds the package; the folder is `dist` in azure.yaml."""

PYTHON = (3, 13)
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""


def run(command: str) -> None:
    """Run a command of `bot deployment` with azd's variables, and end the process.

    Args:
        command: its name.

    Raises:
        SystemExit: always, with the command's exit status.
    """
    _check_python()
    os.chdir(str(APP))  # the command works on the app of its folder
    try:
        from bot_workbench.admin.deployment.commands import app
    except ModuleNotFoundError as error:
        sys.exit(_lacks(str(error.name)))
    # `azd down` was confirmed or forced: the hook does not ask once more.
    asks_nothing = ["--yes"] if command == "remove" else []
    app([command, "--azd", *asks_nothing], prog_name="bot deployment")


def build_package() -> None:
    """Build and check the package that azd uploads, and end the process.

    It is a process of its own, because its compilation starts processes that import the main script
    again. azd shows what it prints only if it fails; `prove` shows what a package's build had to
    say.

    Raises:
        SystemExit: always, with its exit status.
    """
    _check_python()
    for package in ("bot_workbench", "uv"):  # uv installs the bot's packages
        if find_spec(package) is None:
            sys.exit(_lacks(package))
    environ = {
        **os.environ,
        "PYTHONIOENCODING": "utf-8",  # as azd reads it on every system
        "PYTHONPATH": WORKBENCH,
    }
    try:
        command = [sys.executable, "-m", "bot_workbench", *PACKAGE_COMMAND]
        ended = subprocess.run(command, cwd=APP, env=environ, check=False)  # ours
        sys.exit(ended.returncode)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _check_python() -> None:
    if sys.version_info < PYTHON:
        sys.exit(
            f"The hooks need Python 3.13 or later, and azd has found {sys.version.split()[0]}. Let"
            " `python3` (on Windows, `py`) start 3.13, for example by activating a virtual"
            " environment of it, delete infra/hooks/hooks_env, and run azd again."
        )


def _lacks(package: str) -> str:
    return (
        f"The hooks lack the package {package}. azd installs infra/hooks/requirements.txt"
        " into infra/hooks/hooks_env: delete that folder, and run azd again. If azd's environment"
        " names another one (VIRTUAL_ENV in `azd env get-values`), run"
        f" `{sys.executable} -m pip install -r infra/hooks/requirements.txt`."
    )
