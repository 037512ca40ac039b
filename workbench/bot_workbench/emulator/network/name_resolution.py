"""Gives a process public names that lead to the stand-ins, and no others."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.network.public_names import port_of

HTTPS = 443
LOCAL_NAMES = ("localhost", LOOPBACK)

Lookup = Callable[..., Any]


def resolve_names(file: Path) -> None:
    """Make this process look up host names in a file of PublicNames instead of in DNS.

    It works for everything that looks names up through Python's socket module or an event loop's
    `getaddrinfo`, on asyncio's own loops and on uvloop's.
    """
    socket.getaddrinfo = lookup = lookup_in(file, socket.getaddrinfo)
    _resolve_on_uvloop(lookup)


def _resolve_on_uvloop(lookup: Lookup) -> None:
    """The same for uvloop, which does not ask the socket module; without uvloop, nothing.

    Lookups only read a small file, so none needs a thread.
    """
    try:
        from uvloop import Loop
    except ImportError:
        return

    connect: Any = Loop.create_connection

    async def getaddrinfo(_: Loop, host: str, port: int, **options: int) -> Any:
        return lookup(host, port, **options)

    async def create_connection(
        loop: Loop, factory: Any, host: str | None = None, port: int | None = None, **options: Any
    ) -> Any:
        if host is not None:
            if options.get("ssl"):
                options.setdefault("server_hostname", host)
            host, port = lookup(host, port, type=socket.SOCK_STREAM)[0][-1][:2]
        return await connect(loop, factory, host, port, **options)

    Loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign, assignment]
    Loop.create_connection = create_connection  # type: ignore[method-assign, assignment]


def lookup_in(file: Path, own: Lookup) -> Lookup:
    """A `socket.getaddrinfo` that knows this machine and the names in the file.

    Args:
        file: read at each lookup, because names are added while the process runs.
        own: looks up this machine's names.
    """

    def getaddrinfo(
        host: bytes | str | None,
        port: str | int | None,
        family: int = 0,
        type: int = 0,  # the name that callers use
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name in LOCAL_NAMES:
            return own(host, port, family, type, proto, flags)
        ports: dict[str, int] = json.loads(file.read_text("utf-8"))
        local_port = port_of(name, ports) if str(port) in (str(HTTPS), "https") else None
        if local_port is None:
            raise socket.gaierror(socket.EAI_NONAME, f"{name}:{port} has no stand-in")
        return own(LOOPBACK, local_port, family, type, proto, flags)

    return getaddrinfo
