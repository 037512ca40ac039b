"""A host name whose addresses a test chooses, and addresses that refuse or never answer."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot_workbench.emulator.loopback import LOOPBACK

HOST = "several.test"
"""The host name that `give_addresses` resolves."""


Address = tuple[str, int]


def give_addresses(monkeypatch: pytest.MonkeyPatch, addresses: list[Address] | OSError) -> None:
    """Make the running loop resolve HOST to these addresses, each with its own port."""
    loop = asyncio.get_running_loop()
    own = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **options: Any) -> Any:
        if host != HOST:
            return await own(host, port, **options)  # uvloop looks up IP addresses too
        if isinstance(addresses, OSError):
            raise addresses
        # Each once: a lookup takes a turn of another thread, and connecting has a time limit.
        known = {each: await own(*each, **options) for each in set(addresses)}
        return [info for each in addresses for info in known[each]]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


@contextmanager
def closed_port() -> Iterator[Address]:
    """An address that refuses connections: its port is bound, but nothing listens on it."""
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        yield bound.getsockname()
