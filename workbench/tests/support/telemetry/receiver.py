"""Receiver: an HTTP server that takes what exporters post, or refuses it."""

import gzip
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from bot_workbench.emulator.loopback import LOOPBACK


@dataclass(frozen=True)
class Posted:
    """A request.

    Attributes:
        path: without the query.
        headers: by lower-case name.
        body: uncompressed.
    """

    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Nothing: clients are killed while they are connected."""


class Receiver:
    """Listens on loopback in a thread of its own, as a context manager.

    Args:
        tls: the server side of TLS; None: plain HTTP.

    Attributes:
        status: of every answer; 0: none is sent, and the connection stays open.
        answer: the body of every answer.
        posted: the requests so far.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.status = 200
        self.answer = b""
        self.posted: list[Posted] = []
        self._stopped = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://localhost:{self._server.server_port}"

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Keep a request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.rfile.read(int(headers["content-length"]))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.posted.append(Posted(request.path.partition("?")[0], headers, body))
        if self.status == 0:
            self._stopped.wait()
            return
        answer = self.response(self.posted[-1])
        request.send_response(self.status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def response(self, _: Posted) -> bytes:
        """The body of the answer to a request."""
        return self.answer
