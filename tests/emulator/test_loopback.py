"""Ports of the local cloud's programs."""

import socket

import pytest

from emulator import loopback


def test_a_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on it."""
    with socket.create_server((loopback.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        free = loopback.free_port()
        monkeypatch.setattr(loopback, "PORTS", [port, free])
        assert {loopback.free_port() for _ in range(20)} == {free}
