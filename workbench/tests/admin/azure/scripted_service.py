"""ScriptedService: a service on loopback that gives the answers that a test has written down."""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        status: HTTP status; 0 closes the connection without an answer.
        body: JSON-ready, or text.
        headers: further headers.
        pause: seconds before each byte of the body.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0


LOST = Answer(0)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class ScriptedService:
    """Serves plain HTTP.

    Attributes:
        answers: those that are left.
        asked: the requests so far.
    """

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.asked: list[Asked] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline()
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(content) if content else None
                service.asked.append(Asked(self.command, self.path, dict(self.headers), body))
                self._give(service.answers.popleft())

            def _give(self, answer: Answer) -> None:
                if not answer.status:
                    self.close_connection = True
                    return
                text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                content = b"" if answer.body is None else text.encode()
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": len(content)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                if not answer.pause:
                    self.wfile.write(content)
                    return
                with contextlib.suppress(OSError):  # the client has gone
                    for byte in content:
                        time.sleep(answer.pause)
                        self.wfile.write(bytes([byte]))

            def log_message(self, format: str, *args: Any) -> None:  # the base's name
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
