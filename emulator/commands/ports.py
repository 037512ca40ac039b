"""Whether the ports that a command needs are free."""

import socket
import sys
from collections.abc import Mapping

from emulator.loopback import LOOPBACK, MAX_PORT

LOOPBACKS = {socket.AF_INET: LOOPBACK, socket.AF_INET6: "::1"}
"""`localhost` is both."""


class PortInUseError(Exception):
    """Another program has a port; the text says which, and what to do."""


def check_ports(ports: Mapping[str, str]) -> None:
    """Check that ports are free, and that no two are the same.

    Args:
        ports: numbers by what people set them with, such as `PORT`.

    Raises:
        PortInUseError: one is taken.
    """
    seen: dict[str, str] = {}
    for name, number in ports.items():
        if number in seen:
            raise PortInUseError(
                f"{seen[number]} and {name} are both {number}: choose another for one of them."
            )
        seen[number] = name
        if not is_free(int(number)):
            raise PortInUseError(taken(name, int(number)))


def taken(name: str, port: int) -> str:
    """What to say of a port that another program has.

    Args:
        name: what people set it with, such as `PORT` or `--port`.
        port: its number.
    """
    other = next((each for each in range(port + 1, MAX_PORT) if is_free(each)), port + 1)
    choice = f"{name} {other}" if name.startswith("-") else f"{name}={other}"
    return (
        f"Port {port} is in use: stop the program that has it, or choose another, such as {choice}"
    )


def is_free(port: int) -> bool:
    """Whether no program listens on a port of this machine, and this one may."""
    return not any(_answers(*each, port) for each in LOOPBACKS.items()) and may_listen(port)


def _answers(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.settimeout(1)
            return probe.connect_ex((host, port)) == 0
    except OSError:  # this machine has no IPv6
        return False


def may_listen(port: int) -> bool:
    """Whether this program may listen on a port: no other one does. It makes no connection."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            # Connections of an earlier run that are still closing do not occupy a port. On Windows
            # the option would allow to share a port with another program.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
