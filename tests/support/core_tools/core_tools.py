"""CoreTools: `func start`, by a stand-in that runs the real worker library."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from emulator.core_tools.environment import with_recorder
from emulator.loopback import LOOPBACK, free_port
from tests.support.program import is_group_running
from tests.support.project import ROOT
from tests.support.timing.condition import SECONDS, until

PROGRAM = Path(__file__).with_name("func_program.py")


class CoreTools:
    """Runs an app as `make run` does where Core Tools are installed.

    Args:
        app: the app's folder.
        settings: the app's.
        folder: for the program's log and the worker's files.

    Attributes:
        log: the file with what the programs write to stderr.
        messages: the URL of the messaging endpoint.
    """

    def __init__(self, app: Path, settings: Mapping[str, str], folder: Path) -> None:
        self._app = app
        self._port = free_port()
        self._environ = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "STAND_IN_FOLDER": str(folder),
            "STAND_IN_PROJECT": str(ROOT),
            "FUNCTIONS_WORKER_RUNTIME": "python",
            **settings,
        }
        self.log = folder / "func.log"
        self.messages = f"http://127.0.0.1:{self._port}/api/messages"

    def __enter__(self) -> Self:
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), "start", "--port", str(self._port)],
                cwd=self._app,
                env=with_recorder(self._environ),
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(SECONDS)
        until(lambda: not is_group_running(self._process.pid))

    def wait_until_it_listens(self) -> None:
        """Wait until the port is open, which it is shortly after the app is loaded."""
        until(self._is_open)

    def _is_open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self._port)) == 0
