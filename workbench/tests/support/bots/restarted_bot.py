"""RestartedBot: the function app where its host is started again whenever it has ended."""

import os
import signal
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.bots.bot_process import WORKER, BotProcess
from tests.support.timing.condition import SECONDS

PAUSE_SECONDS = 0.1
"""Between the end of a host and the next one's start."""


class RestartedBot(BotProcess):
    """Does what the platform does: the same command, again and again, at the same port.

    The log goes on from host to host. Within the `with` block, `pid` is that of the newest host,
    which may have ended, and `workers` has those of its workers.

    Args:
        settings: see BotProcess.
        log: see there.
        app: see there.
        options: see there; without `--workers`, there is one worker process.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        log: Path,
        app: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        workers = () if "--workers" in options else ("--workers", "1")
        # Bound without listening, so that nobody else gets the port between two hosts.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        port = ("--port", str(self._port.getsockname()[1]))
        super().__init__(settings, log, app, (*options, *workers, *port))
        self.starts = 0
        """The number of hosts that have been ready."""
        self._log_start = 0
        self._is_ready = threading.Event()
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="restarted bot", daemon=True)

    def __enter__(self) -> Self:
        super().__enter__()
        self.starts = 1
        self._is_ready.set()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._stopping.set()
            self.send_signal(signal.SIGINT)
        self._thread.join(SECONDS)
        self._port.close()
        assert not self._thread.is_alive()

    @property
    def is_ready(self) -> bool:
        """Whether the newest host has been ready, and has not ended yet."""
        return self._is_ready.is_set() and self.returncode is None

    @property
    def workers(self) -> dict[int, int]:
        """The process ids of the newest host's workers, by their numbers."""
        text = self.log.read_bytes()[self._log_start :].decode()
        return {int(number): int(pid) for number, pid in WORKER.findall(text)}

    def send_signal(self, number: signal.Signals) -> None:
        """Send the newest host a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def _keep(self) -> None:
        while True:
            assert self._process is not None
            self._process.communicate()
            self._is_ready.clear()
            self._stopping.wait(PAUSE_SECONDS)
            with self._changing:
                if self._stopping.is_set():
                    return
                self._log_start = self.log.stat().st_size
                self.start()
            if self.until_ready():
                self.starts += 1
                self._is_ready.set()
