"""The lines that people type into a shell: bash or the like, and PowerShell on Windows."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Shell(Protocol):
    """The syntax of a shell.

    Attributes:
        continued: ends a line that goes on in the next one.
        activate: makes the project's Python the first on PATH, in the project's folder.
    """

    continued: str
    activate: str

    def exported(self, name: str, text: str) -> str:
        """The line that sets an environment variable."""

    def variable(self, name: str) -> str:
        """The value of an environment variable, within a line."""

    def sourced(self, file: Path) -> str:
        """The line that runs a file's lines in this very shell.

        Args:
            file: absolute, or from the working folder.
        """


class Bash:
    """Bash, zsh and other POSIX shells.

    Args:
        programs: the folder of .venv that has the programs.
    """

    continued = "\\"

    def __init__(self, programs: str = "bin") -> None:
        self.activate = f". .venv/{programs}/activate"

    def exported(self, name: str, text: str) -> str:
        """The line that sets an environment variable."""
        return f"export {name}={shlex.quote(text)}"

    def variable(self, name: str) -> str:
        """The value of an environment variable, within a line."""
        return f"${name}"

    def sourced(self, file: Path) -> str:
        """The line that runs a file's lines in this very shell."""
        # Without a slash, it would be looked up in PATH.
        path = file.as_posix()
        return f". {shlex.quote(path if file.is_absolute() else f'./{path}')}"


class PowerShell:
    """PowerShell, which runs a file's text even where its policy forbids to run scripts."""

    continued = "`"
    activate = '$env:PATH = "$PWD\\.venv\\Scripts;$env:PATH"'

    def exported(self, name: str, text: str) -> str:
        """The line that sets an environment variable."""
        return f"$env:{name} = {_quoted(text)}"

    def variable(self, name: str) -> str:
        """The value of an environment variable, within a line."""
        return f"$env:{name}"

    def sourced(self, file: Path) -> str:
        """The line that runs a file's lines in this very shell."""
        path = _quoted(str(file))
        return f"Get-Content -Raw -LiteralPath {path} | Invoke-Expression"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def users_shell(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Shell:
    """The shell that the user of this process types into.

    Args:
        platform: as `sys.platform`.
        environ: this process's environment.
    """
    if platform != "win32":
        return Bash()
    return Bash("Scripts") if "MSYSTEM" in environ else PowerShell()  # Git for Windows sets it
