"""Connections of the stand-ins themselves to public names: they need no proxy."""

import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.network.public_names import PublicNames


class PublicNameResolver(AbstractResolver):
    """Finds the stand-ins behind public names, whatever the port.

    Args:
        names: the names that it knows.
    """

    def __init__(self, names: PublicNames) -> None:
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The stand-in's address.

        Raises:
            OSError: the name has no stand-in.
        """
        local_port = self._names.port(host)
        if local_port is None:
            raise OSError(None, f"{host} has no stand-in")
        return [
            ResolveResult(
                hostname=host,
                host=LOOPBACK,
                port=local_port,
                family=socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Release nothing."""


def local_connector(names: PublicNames, trust: ssl.SSLContext) -> aiohttp.TCPConnector:
    """A connector for aiohttp's client.

    Args:
        names: the names that it knows.
        trust: the client side of TLS.
    """
    return aiohttp.TCPConnector(
        limit=0, resolver=PublicNameResolver(names), ssl=trust, use_dns_cache=False
    )
