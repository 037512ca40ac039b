"""The only address that the local cloud listens on, free ports on it, and guarded ones."""

import argparse
import random
import socket
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

LOOPBACK = "127.0.0.1"

LOCALHOST = LOOPBACK if sys.platform == "win32" else "localhost"
"""This machine in URLs that programs call.

On Windows, `localhost` is ::1 first, where nobody listens: to find that out takes each new
connection a quarter of a second.
"""

SHORT_LOOPBACK = "127.1"
"""LOOPBACK in a form that the app does not recognize as loopback.

An app that runs as in Azure refuses loopback service URLs; with this one in AllowedServiceHosts it
can reply to a local connector.
"""

MAX_PORT = 65535

PORTS = range(20000, 32768)
"""Below the default ephemeral ports of Linux, macOS and Windows, which outgoing connections get."""


def port_number(text: str) -> int:
    """The port that a command line names; 0 takes a free one.

    Raises:
        argparse.ArgumentTypeError: there is no such port.
    """
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port: choose one up to {MAX_PORT}")
    return int(text)


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


def listener() -> socket.socket:
    """A socket that listens on a free port, for a server that accepts its connections later.

    No other program can listen there meanwhile.
    """
    return socket.create_server((LOOPBACK, 0))


@dataclass(frozen=True)
class GuardedPort:
    """A port, and the secret without which it accepts nothing; processes get both as a setting.

    Attributes:
        SETTING: the environment variable.
    """

    SETTING: ClassVar[str]

    port: int
    secret: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self | None:
        """The one that an environment names; None if it names none."""
        port, _, secret = environ.get(cls.SETTING, "").partition(":")
        return cls(int(port), secret) if port.isdecimal() and secret else None

    def settings(self) -> dict[str, str]:
        """The environment of a process that connects to it."""
        return {self.SETTING: f"{self.port}:{self.secret}"}


_given_out: deque[int] = deque(maxlen=1000)


def free_port() -> int:
    """A port that nobody listens on, for a program that will listen on it.

    It is not an ephemeral port, so no outgoing connection takes it before the program listens. It
    is none of the last thousand either, whose programs may not listen yet.
    """
    while True:
        port = random.choice(PORTS)  # noqa: S311  # no secret
        if port in _given_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        _given_out.append(port)
        return port
