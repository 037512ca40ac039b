"""One HTTP request, exactly as given: what a forger would send."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

JSON = (("Content-Type", "application/json"),)
"""The headers of a request whose body is JSON."""


@dataclass(frozen=True)
class Reply:
    """A response: status, headers by lower-case name, body (bytes)."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class Caller:
    """Sends requests to one host over one connection.

    Args:
        url: of the host.
    """

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def send(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes = b""
    ) -> Reply:
        """Send one request; headers may repeat."""
        self._connection.putrequest(method, path)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self._connection.putheader(name, value.encode("utf-8"))
        self._connection.endheaders(body)
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())

    def deliver(self, activity: object, authorization: str | None) -> Reply:
        """POST an activity to the messaging endpoint."""
        headers = [*JSON]
        if authorization is not None:
            headers.append(("Authorization", authorization))
        return self.send("POST", "/api/messages", headers, json.dumps(activity).encode())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
