"""Services: the local cloud's servers, whose faults are switched by pages and over HTTP."""

from collections.abc import Callable, Mapping
from typing import Any

from bot_workbench.emulator.server import Server
from bot_workbench.emulator.services.fault_switches import checked_switches
from bot_workbench.emulator.services.presets import PRESETS

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


class UnknownServiceError(LookupError):
    """There is no service of that name."""


class Services:
    """Switches faults, and stops and starts servers.

    Args:
        servers: by name; read on each call.
    """

    def __init__(self, servers: Mapping[str, Server]) -> None:
        self._servers = servers
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called after each change."""
        self._listeners.append(listener)

    def find(self, name: str) -> Server:
        """The server of that name.

        Raises:
            UnknownServiceError: there is none.
        """
        if name not in self._servers:
            raise UnknownServiceError(
                f"There is no service {name!r}: choose from {', '.join(self._servers)}"
            )
        return self._servers[name]

    def set_faults(self, name: str, switches: object) -> None:
        """Set a server's faults; none make it healthy.

        Args:
            name: the server's.
            switches: a JSON object, see Faults.

        Raises:
            UnknownServiceError: there is no such server.
            FaultError: there is no such switch, or its value is of another type.
        """
        self.find(name).faults.set(**checked_switches(switches))
        self._changed()

    async def stop(self, name: str) -> None:
        """Close the server's port.

        Raises:
            UnknownServiceError: there is no such server.
        """
        await self.find(name).stop()
        self._changed()

    async def start(self, name: str) -> None:
        """Open the same port again; a running server stays as it is.

        Raises:
            UnknownServiceError: there is no such server.
            OSError: another program has taken the port meanwhile.
        """
        server = self.find(name)
        if not server.is_running:
            await server.start()
        self._changed()

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
