"""Addresses of a made-up host name: those that answer, and those that do not."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from emulator.loopback import LOOPBACK

HOST = "several.test"
"""The name."""

SPARE = 4
"""Connections to a full queue: more than one that is asked to hold none will hold."""

Address = tuple[str, int]


def give_addresses(monkeypatch: pytest.MonkeyPatch, addresses: list[Address] | OSError) -> None:
    """Have the running loop's resolver answer for HOST with these, each with a port of its own."""
    loop = asyncio.get_running_loop()
    own = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **options: Any) -> Any:
        if host != HOST:
            return await own(host, port, **options)  # uvloop asks for numbers, too
        if isinstance(addresses, OSError):
            raise addresses
        found = []
        for number, its_port in addresses:
            found += await own(number, its_port, **options)
        return found

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


@contextmanager
def closed_port() -> Iterator[Address]:
    """An address that refuses connections: its port is bound, and nobody listens."""
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        yield bound.getsockname()


@contextmanager
def dead_address(number: str = LOOPBACK) -> Iterator[Address]:
    """An address that says nothing at all: the kernel drops what a full queue cannot take."""
    family = socket.AF_INET6 if ":" in number else socket.AF_INET
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket(family))
        full.bind((number, 0))
        full.listen(0)
        for _ in range(SPARE):
            caller = stack.enter_context(socket.socket(family))
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        yield full.getsockname()[:2]
