"""Ports of the local cloud's programs."""

import random
import socket

import pytest

from bot_workbench.emulator.loopback import LOOPBACK, free_port, listener


def test_a_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on it, and no other program has been given it."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        ports = [taken, *(socket.create_server((LOOPBACK, 0)) for _ in range(2))]
        busy, first, second = (each.getsockname()[1] for each in ports)
        for each in ports[1:]:
            each.close()
        chosen = iter([busy, first, first, second])
        monkeypatch.setattr(random, "choice", lambda _: next(chosen))
        assert free_port() == first
        assert free_port() == second


def test_a_listener_keeps_its_port() -> None:
    """Nobody else can listen there, and callers who come early are not refused."""
    with listener() as mine:
        address = mine.getsockname()
        with pytest.raises(OSError, match="in use"):
            socket.create_server(address)
        with socket.create_connection(address) as early:
            accepted, caller = mine.accept()
            with accepted:
                assert caller == early.getsockname()
