"""WorkerProgram: a small program in the place of a worker, which ends as a test wants it to."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.emulator.functions.configuration import HostConfiguration
from bot_workbench.emulator.functions.host_rules import HostRules
from bot_workbench.emulator.functions.http_front import HttpRequest, HttpResponse
from bot_workbench.emulator.functions.queues.settings import QueueSettings
from bot_workbench.emulator.functions.workers.pool import WorkerPool

SOURCE = """
import http.server
import json
import os
import pathlib
import socket
import sys
import threading
import time

folder = pathlib.Path(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, word, *value = self.path.split("/")
        (folder / f"got {word}").touch()
        if word == "exit":
            os._exit(int(*value))
        if word == "nonsense":
            self.wfile.write(b"nonsense")
        if word == "until":
            while not (folder / value[0]).exists():
                time.sleep(0.01)
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 100


port, _, secret = os.environ["FUNCTIONS_LIFELINE"].partition(":")
host = socket.create_connection(("127.0.0.1", int(port)))
host.sendall(secret.encode() + b"\\n")
host.recv(1000)
if (folder / "broken").exists():
    os._exit(3)
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
own = server.server_port
report = {"http": own, "invocations": own, "functions": [], "fault": ""}
host.sendall(json.dumps(report).encode() + b"\\n")
host.recv(1)
os._exit(1)
"""


@dataclass
class ProgramPool:
    """A pool of such programs.

    Attributes:
        pool: the pool.
        folder: where a program notes `got WORD` for each path `/WORD` that it is asked for. While a
            file `broken` is there, each new one ends before it is ready.
        stops: one for each time that the pool has asked for the host's end.
    """

    pool: WorkerPool
    folder: Path
    stops: list[None]

    async def get(self, path: str) -> HttpResponse:
        """The answer to a call: `/pid` is answered with the process id, which /until/FILE is
        when the folder has the file; `/exit/CODE` ends the process."""
        return await self.pool.forward(HttpRequest("GET", path, {"host": "localhost"}, b""))

    async def pid(self) -> int:
        """The process id of the worker whose turn it is."""
        return int((await self.get("/pid")).body)

    def got(self, word: str) -> bool:
        """Whether a program has been asked for this."""
        return (self.folder / f"got {word}").exists()


@asynccontextmanager
async def program_pool(
    folder: Path,
    size: int = 1,
    function_timeout: float | None = None,
    rules: HostRules | None = None,
) -> AsyncIterator[ProgramPool]:
    """A pool that is started, without pauses between restarts unless the rules say so."""
    stops: list[None] = []
    pool = WorkerPool(
        size,
        [sys.executable, "-c", SOURCE, str(folder)],
        lambda: stops.append(None),
        HostConfiguration("api", QueueSettings(), function_timeout),
        rules or HostRules(restart_interval=0.0, timeout_grace=0.0),
    )
    await pool.start()
    try:
        yield ProgramPool(pool, folder, stops)
    finally:
        await pool.stop()
