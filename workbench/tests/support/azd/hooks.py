"""Hooks: runs the hooks of azure.yaml as azd does, one process each."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from bot_workbench.emulator.local_azure import LocalAzure
from tests.support.azd.azd import Azd
from tests.support.project import ROOT

KEPT = ("HOME", "TMPDIR")
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class RunHook:
    """A hook that has ended.

    Attributes:
        status: the exit status.
        output: what it printed on both streams, in order.
    """

    status: int
    output: str


class Hooks:
    """The hooks of azure.yaml: those of the project, and those of its service.

    Args:
        azure: what they reach.
        azd: gives them its environment's values.
        python: the interpreter of the virtual environment; empty: the test's own.
        project: the folder of azure.yaml.
    """

    def __init__(self, azure: LocalAzure, azd: Azd, python: str = "", project: Path = ROOT) -> None:
        self._azure = azure
        self._azd = azd
        self._python = python or sys.executable
        document = YAML(typ="safe").load((project / "azure.yaml").read_text("utf-8"))
        service = document["services"]["bot"]
        self._scripts: dict[str, Path] = {
            event: folder / hook["run"]
            for folder, hooks in (
                (project, document["hooks"]),
                (project / service["project"], service["hooks"]),
            )
            for event, hook in hooks.items()
        }

    @property
    def events(self) -> set[str]:
        """The hooks before and after, such as "postdeploy"."""
        return set(self._scripts)

    def command(self, event: str) -> list[str]:
        """The command line of a hook."""
        return [self._python, str(self._scripts[event])]

    def environ(self) -> dict[str, str]:
        """The environment variables of a hook's process."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | self._azure.environ | self._azd.environ | {"COLUMNS": "100"}

    def run(self, event: str, **variables: str) -> RunHook:
        """Run a hook without a terminal, and wait for its end."""
        ended = subprocess.run(
            self.command(event),
            env=self.environ() | variables,
            cwd=self._scripts[event].parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return RunHook(ended.returncode, ended.stdout)
