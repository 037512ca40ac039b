"""An environment's values, which azd stores in .azure/NAME/.env, for the template and its hooks."""

import os
import shutil
import subprocess
from collections.abc import Mapping

from bot_workbench.admin.azure.errors import NotReachable, Refused

SECONDS = 60


def stored(name: str) -> str:
    """A value that azd gives to its hook as a variable; empty if there is none."""
    return os.environ.get(name, "")


def assignments(values: Mapping[str, str]) -> list[str]:
    """The words of `azd env set` that store values, by their names.

    Source: azd, `parseKeyValue` in cli/azd/cmd/env.go: the first "=" ends the name, and an empty
    value is stored as such.
    """
    return [f"{name}={value}" for name, value in values.items()]


def program() -> str:
    """The path of azd.

    Raises:
        NotReachable: it is not installed.
    """
    found = shutil.which("azd")
    if found is None:
        raise NotReachable("azd is not on the PATH: install the Azure Developer CLI")
    return found


def store(environment: str, values: Mapping[str, str]) -> None:
    """Store values, all with one call of azd.

    Args:
        environment: its name.
        values: by their names.

    Raises:
        NotReachable: azd is not installed, or does not answer.
        Refused: azd does not store them.
    """
    try:
        ended = subprocess.run(  # azd, with words of ours
            [program(), "env", "set", *assignments(values), "--environment", environment],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",  # azd's, whatever the code page of a Windows console
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotReachable(f"azd does not answer: {error}") from error
    if ended.returncode:
        reason = (ended.stderr or ended.stdout).strip() or f"exit status {ended.returncode}"
        raise Refused(f"azd does not store {', '.join(values)}: {reason}")
