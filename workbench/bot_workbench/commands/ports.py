"""Whether the ports that a command needs are free."""

import socket
import sys
from collections.abc import Mapping

from bot_workbench.emulator.loopback import LOOPBACK, MAX_PORT, may_listen

LOOPBACKS = {socket.AF_INET: LOOPBACK, socket.AF_INET6: "::1"}
"""`localhost` is both."""

CONNECT_SECONDS = 0.1 if sys.platform == "win32" else 1.0
"""A program that listens accepts at once. Windows takes two seconds to refuse a connection, even to
this machine."""


class PortInUseError(Exception):
    """Another program has a port; the text says which, and what to do."""


def check_ports(ports: Mapping[str, int]) -> None:
    """Check that ports are free, and that no two are the same.

    Args:
        ports: numbers by what people set them with, such as `PORT`.

    Raises:
        PortInUseError: one is taken.
    """
    seen: dict[int, str] = {}
    for name, number in ports.items():
        if number in seen:
            raise PortInUseError(
                f"{seen[number]} and {name} are both {number}: choose another for one of them."
            )
        seen[number] = name
        if not is_free(number):
            raise PortInUseError(taken(name, number))


def taken(name: str, port: int) -> str:
    """The message about a port that another program has.

    Args:
        name: what people set it with, such as `PORT`.
        port: its number.
    """
    other = next((each for each in range(port + 1, MAX_PORT) if is_free(each)), port + 1)
    return (
        f"Port {port} is in use: stop the program that has it, or choose another, such as"
        f" {name}={other}"
    )


def is_free(port: int) -> bool:
    """Whether no program listens on a port of this machine, and this one may."""
    return not any(_answers(*each, port) for each in LOOPBACKS.items()) and may_listen(port)


def _answers(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.settimeout(CONNECT_SECONDS)
            return probe.connect_ex((host, port)) == 0
    except OSError:  # this machine has no IPv6
        return False
