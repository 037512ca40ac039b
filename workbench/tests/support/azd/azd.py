"""Azd: the stand-in for azd on the PATH of the test, with one environment."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.azd import program
from tests.support.bicep.syntax import declarations
from tests.support.project import ROOT

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
"""The texts that Go's strconv.ParseBool takes."""

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_VARIABLE = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")


class Azd:
    """One environment of azd.

    Args:
        folder: for the program and its values.
        environ: the environment's name and first values, with AZURE_ENV_NAME.

    Attributes:
        name: of the environment.
    """

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.name = environ["AZURE_ENV_NAME"]
        self._file = folder / "azd.json"
        self._bin = folder / "azd-bin"
        self._file.write_text(json.dumps({self.name: environ}), "utf-8")
        self._bin.mkdir()
        azd = self._bin / "azd"
        script = Path(program.__file__)
        azd.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', "utf-8")
        azd.chmod(0o755)

    @property
    def values(self) -> dict[str, str]:
        """The environment's values."""
        stored: dict[str, dict[str, str]] = json.loads(self._file.read_text("utf-8"))
        return stored[self.name]

    def set(self, **values: str) -> None:
        """Change values; an empty one stays, as with `azd env set`."""
        text = json.dumps({self.name: self.values | values})
        self._file.write_text(text, "utf-8")

    def forget(self, *names: str) -> None:
        """Remove values, as `azd down` does with the template's outputs."""
        left = {name: value for name, value in self.values.items() if name not in names}
        self._file.write_text(json.dumps({self.name: left}), "utf-8")

    def calls(self) -> list[list[str]]:
        """The words of all calls since the last time."""
        file = self._file.with_suffix(program.CALLS)
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    @property
    def environ(self) -> dict[str, str]:
        """What a hook's process gets beside the shell's own variables."""
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        return {**self.values, "PATH": path, program.VALUES: str(self._file)}

    def set_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let commands in this process find the program; the values come with each command."""
        monkeypatch.setenv("PATH", self.environ["PATH"])
        monkeypatch.setenv(program.VALUES, str(self._file))

    def parameters(self) -> dict[str, Any]:
        """The template's parameters, from infra/main.parameters.json and the values.

        An empty value is not sent, nor one that is not of the parameter's type: the template takes
        its default (convertString and loadParameters in azd's source, August 2026).
        """
        file = json.loads((ROOT / "infra/main.parameters.json").read_text("utf-8"))
        types = {
            each.symbol: each.target
            for each in declarations(ROOT / "infra/main.bicep")
            if each.kind == "parameter"
        }
        read = {
            name: self._resolved(each["value"], types[name])
            for name, each in file["parameters"].items()
        }
        return {name: value for name, value in read.items() if value not in ("", None)}

    def _resolved(self, text: str, type_name: str) -> Any:
        """A parameter with its variables replaced; None if it is not of its type."""
        values = self.values

        def value(match: re.Match[str]) -> str:
            return values.get(match[1]) or match[2] or ""

        found = _VARIABLE.sub(value, text)
        if type_name == "bool":
            return _BOOLEANS.get(found)
        if type_name == "int":
            return int(found) if _INTEGER.fullmatch(found) else None
        return found
