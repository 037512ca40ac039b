"""What azd's hooks run. Old versions of Python can read it, too, and say that they are too old."""

import os
import sys

PYTHON = (3, 13)
TRUE = ("1", "t", "true")
"""The values of AZD_NON_INTERACTIVE that azd takes for true, in lower case."""


def run(command: str) -> None:
    """Run a command of `python -m admin deployment` with azd's variables, and end the process.

    Args:
        command: its name.

    Raises:
        SystemExit: always, with the command's exit status.
    """
    if sys.version_info < PYTHON:
        sys.exit(
            f"The hooks need Python 3.13 or later, and azd has found {sys.version.split()[0]}: put"
            " 3.13 first on the PATH, delete infra/hooks/hooks_env, and run azd again."
        )
    try:
        from admin.deployment.application import app
    except ModuleNotFoundError as error:
        sys.exit(
            f"The hooks lack the package {error.name}. azd installs infra/hooks/requirements.txt"
            " into an environment of their own, unless VIRTUAL_ENV is set (`deactivate`, and run"
            " azd again) or another one is active: then run `python -m pip install -r"
            f" infra/hooks/requirements.txt` with {sys.executable}."
        )
    words = [command, "--azd"]
    if command == "remove" and not _can_ask():
        words.append("--yes")
    app(words, prog_name="python -m admin deployment")


def _can_ask() -> bool:
    """Whether somebody is there to answer. If nobody is, `azd down` has not asked either."""
    is_closed = os.environ.get("AZD_NON_INTERACTIVE", "").lower() in TRUE
    return sys.stdin.isatty() and not is_closed
