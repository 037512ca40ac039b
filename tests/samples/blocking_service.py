"""BlockingService: an HTTP service in a thread of its own, for bots that call it by `requests`."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class BlockingService:
    """Serves files, takes uploads, and answers what the scripts say.

    Attributes:
        files: content by path, those that were uploaded too.
        answers: the JSON that a POST or a GET gets, by path.
        seen: the method, path with query, headers and body of each request, oldest first.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Any] = {}
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service._answer(self)

            do_POST = do_PUT = do_GET  # noqa: N815  # named by the standard library

            def log_message(self, format: str, *args: object) -> None:
                """Nothing goes to stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.seen.append((handler.command, handler.path, dict(handler.headers), body))
        path = handler.path.partition("?")[0]
        status, content = 200, json.dumps(self.answers.get(path)).encode()
        if handler.command == "PUT":
            status, self.files[path] = 201, body
        elif path in self.files:
            content = self.files[path]
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
