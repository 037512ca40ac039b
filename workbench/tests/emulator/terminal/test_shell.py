"""What `make azure` prints for the shell that people use."""

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from bot_workbench.emulator.terminal.shell import Bash, PowerShell, users_shell

TEXT = 'it\'s 5 $HOME `id` "now"'


@pytest.mark.parametrize(
    ("file", "typed"),
    [
        (Path("azure.env"), ". ./azure.env"),
        (Path("my files", "azure.env"), ". './my files/azure.env'"),
        (Path("/elsewhere/azure.env"), ". /elsewhere/azure.env"),
    ],
)
def test_bash_finds_the_file(file: Path, typed: str) -> None:
    """A name without a slash would be looked up in PATH."""
    assert Bash().sourced(file) == typed


def test_bash_gets_the_text() -> None:
    """A value reaches the shell's programs as it is."""
    script = f"{Bash().exported('NAME', TEXT)}\nprintenv NAME"
    ran = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{TEXT}\n"


def test_powershell_gets_the_text() -> None:
    """Within single quotes nothing is special but these: they are written twice."""
    shell = PowerShell()
    assert shell.exported("NAME", TEXT) == "$env:NAME = 'it''s 5 $HOME `id` \"now\"'"
    assert shell.variable("NAME") == "$env:NAME"
    file = PurePosixPath("my user's", "azure.env")
    assert "-LiteralPath 'my user''s/azure.env' |" in shell.sourced(Path(file))


@pytest.mark.parametrize(
    ("platform", "environ", "activate"),
    [
        ("linux", {}, ". .venv/bin/activate"),
        ("darwin", {}, ". .venv/bin/activate"),
        ("win32", {}, '$env:PATH = "$PWD\\.venv\\Scripts;$env:PATH"'),
        ("win32", {"MSYSTEM": "MINGW64"}, ". .venv/Scripts/activate"),
    ],
)
def test_the_shell_of_the_system(platform: str, environ: dict[str, str], activate: str) -> None:
    """PowerShell on Windows, unless Git Bash has started the command."""
    assert users_shell(platform, environ).activate == activate
