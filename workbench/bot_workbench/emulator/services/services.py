"""Services: the local cloud's servers, whose faults are switched by pages and over HTTP."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.presets import PRESETS

MAX_LATENCY_SECONDS = 3600

LABELS = {
    "connector": "Bot Connector",
    "channel": "Channel's signing keys",
    "entra": "Entra ID",
    "identity": "Managed identity",
    "vault": "Key Vault",
    "usertokens": "User token service",
    "model": "Language model",
    "blobs": "Blob storage",
    "queues": "Queue storage",
}
"""The pages' names for the services that a bot uses. The others only have switches."""


async def json_body(request: web.Request) -> Any:
    """The request's body.

    Raises:
        HTTPBadRequest: it is not JSON.
    """
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="The body is not JSON.") from error


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


_IS_TRUTH = (lambda value: isinstance(value, bool), "true or false")

_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "latency": (
        lambda value: _is_number(value) and 0 <= value <= MAX_LATENCY_SECONDS,
        f"a number of seconds, at most {MAX_LATENCY_SECONDS}",
    ),
    "status": (
        lambda value: value is None or (_is_count(value) and 200 <= value < 600),
        "an HTTP status from 200 to 599, or null",
    ),
    "retry_after": (
        lambda value: (
            value is None
            or _is_count(value)
            or (isinstance(value, str) and value.isascii() and value.isprintable())
        ),
        "a number of seconds, an HTTP date, or null",
    ),
    "silent": _IS_TRUTH,
    "cut": _IS_TRUTH,
    "handled": _IS_TRUTH,
    "html": _IS_TRUTH,
    "body": (lambda value: isinstance(value, str | None), "text, or null"),
    "endless": _IS_TRUTH,
    "every": (
        lambda value: _is_count(value) and value >= 1,
        "a number of requests, at least 1",
    ),
    "remaining": (
        lambda value: value is None or _is_count(value),
        "a number of requests, or null",
    ),
    "path": (lambda value: isinstance(value, str), "text"),
}
"""For each switch of Faults, whether a value is valid, and what is."""


def checked_switches(switches: object) -> Mapping[str, Any]:
    """The switches of Faults by name, whose types have been checked.

    Args:
        switches: a JSON value.

    Raises:
        HTTPBadRequest: it is no object, or one of the switches is wrong.
    """
    if not isinstance(switches, dict):
        raise web.HTTPBadRequest(text="The faults must be a JSON object.")
    for name, value in switches.items():
        if name not in _CHECKS:
            text = f"There is no fault {name!r}: choose from {', '.join(_CHECKS)}."
            raise web.HTTPBadRequest(text=text)
        is_valid, expected = _CHECKS[name]
        if not is_valid(value):
            raise web.HTTPBadRequest(text=f"{name} must be {expected}.")
    return switches


class Services:
    """Switches faults, and stops and starts servers, for the inspector and the switches.

    Args:
        servers: by name; read on each call.
    """

    def __init__(self, servers: Mapping[str, Server]) -> None:
        self._servers = servers
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called after each change."""
        self._listeners.append(listener)

    async def set_faults(self, name: str, request: web.Request) -> None:
        """Set a server's faults to those in the body; none make it healthy.

        Raises:
            HTTPBadRequest: the body is not JSON, or not of Faults' switches.
            HTTPNotFound: there is no such server.
        """
        switches = await json_body(request)
        self._find(name).faults.set(**checked_switches(switches))
        self._changed()

    async def switch(self, name: str, change: str) -> None:
        """Close a server's port, or open the same port again; a running server stays as it is.

        Args:
            name: the server's.
            change: `stop` or `start`.

        Raises:
            HTTPNotFound: there is no such server.
            HTTPConflict: another program has taken its port meanwhile.
        """
        server = self._find(name)
        try:
            if change == "stop":
                await server.stop()
            elif not server.is_running:
                await server.start()
        except OSError as error:
            raise web.HTTPConflict(text=f"The port of {name} is taken: {error}") from error
        self._changed()

    def _find(self, name: str) -> Server:
        if name not in self._servers:
            text = f"There is no service {name!r}: choose from {', '.join(self._servers)}"
            raise web.HTTPNotFound(text=text)
        return self._servers[name]

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()

    def as_json(self) -> list[dict[str, Any]]:
        """The services that a bot uses, for pages."""
        shown = [self._servers[name] for name in LABELS if name in self._servers]
        return [_described(server) for server in shown]


def _described(server: Server) -> dict[str, Any]:
    return {
        "name": server.name,
        "label": LABELS[server.name],
        "url": server.url,
        "running": server.is_running,
        "requests": server.requests.total(),
        "connections": server.connections,
        "faults": server.faults.switched(),
        "presets": [
            {"name": preset.name, "label": preset.label, "faults": preset.faults}
            for preset in PRESETS[server.name]
        ],
    }
