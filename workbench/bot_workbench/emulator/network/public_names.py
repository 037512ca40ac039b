"""PublicNames: the ports on loopback behind the host names of Azure's services."""

import json
from pathlib import Path


class PublicNames:
    """Host names, and the ports of the servers that stand in for them.

    Args:
        file: where the names are written as JSON, for other processes; None: nowhere.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._ports: dict[str, int] = {}
        self._write()

    def add(self, name: str, port: int) -> None:
        """Map a name to a port.

        Args:
            name: such as `graph.microsoft.com`; `*.vault.azure.net` is every name with one more
                label that has no port of its own.
            port: of a server on loopback.
        """
        self._ports[name.lower()] = port
        self._write()

    def remove(self, name: str) -> None:
        """Forget a name; an unknown one is no error."""
        self._ports.pop(name.lower(), None)
        self._write()

    def port(self, host: str) -> int | None:
        """The port behind a host name; None if nothing stands in for it."""
        return port_of(host, self._ports)

    def _write(self) -> None:
        if self.file is not None:
            # Replaced, not rewritten: another process may read it now.
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps(self._ports), "utf-8")
            new.replace(self.file)


def port_of(host: str, ports: dict[str, int]) -> int | None:
    """The port of a host name by exact match, then by wildcard; None if it has none."""
    name = host.lower().rstrip(".")
    _, _, parent = name.partition(".")
    return ports.get(name, ports.get(f"*.{parent}"))
