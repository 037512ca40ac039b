"""Ports in use are named with what changes them."""

import socket

import pytest

from bot_workbench.commands.ports import PortInUseError, check_ports, is_free
from bot_workbench.emulator.loopback import free_port


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_port_in_use(family: socket.AddressFamily, host: str) -> None:
    """`localhost` is two addresses: a browser might find another program at the second one."""
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("this machine has no such address")
    with listening:
        port = listening.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortInUseError, match=rf"Port {port} is in use.* CHAT_PORT=\d+$"):
            check_ports({"PORT": free_port(), "CHAT_PORT": port})


def test_two_names_for_a_port() -> None:
    """A port that is given twice is refused."""
    port = free_port()
    with pytest.raises(PortInUseError, match=f"PORT and CHAT_PORT are both {port}"):
        check_ports({"PORT": port, "CHAT_PORT": port})
