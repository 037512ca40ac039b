"""What azd's hooks run. Old versions of Python can read it, too, and say that they are too old."""

import os
import sys

PYTHON = (3, 13)
TRUE = ("1", "t", "true")
FALSE = ("0", "f", "false")
"""The values of AZD_NON_INTERACTIVE that azd takes for true and for false, in lower case."""

PIPELINES = ("CI", "TF_BUILD")
"""Variables of pipelines, some of which have a terminal: azd does not ask there, either."""


def run(command: str) -> None:
    """Run a command of `python -m admin deployment` with azd's variables, and end the process.

    Args:
        command: its name.

    Raises:
        SystemExit: always, with the command's exit status.
    """
    if sys.version_info < PYTHON:
        sys.exit(
            f"The hooks need Python 3.13 or later, and azd has found {sys.version.split()[0]}. Let"
            " `python3` (on Windows, `py`) start 3.13, for example by activating a virtual"
            " environment of it, delete infra/hooks/hooks_env, and run azd again."
        )
    try:
        from admin.deployment.application import app
    except ModuleNotFoundError as error:
        sys.exit(
            f"The hooks lack the package {error.name}. azd installs infra/hooks/requirements.txt"
            " into infra/hooks/hooks_env: delete that folder, and run azd again. If azd takes"
            " another environment (VIRTUAL_ENV), run"
            f" `{sys.executable} -m pip install -r infra/hooks/requirements.txt`."
        )
    words = [command, "--azd"]
    if command == "remove" and not _can_ask():
        words.append("--yes")
    app(words, prog_name="python -m admin deployment")


def _can_ask() -> bool:
    """Whether somebody is there to answer. If nobody is, `azd down` has not asked either."""
    switch = os.environ.get("AZD_NON_INTERACTIVE", "").lower()
    in_pipeline = any(os.environ.get(name) for name in PIPELINES) and switch not in FALSE
    return sys.stdin.isatty() and switch not in TRUE and not in_pipeline
