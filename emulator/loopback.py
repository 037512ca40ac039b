"""The only address that the local cloud listens on, and its ports."""

import random
import socket

LOOPBACK = "127.0.0.1"

SHORT_LOOPBACK = "127.1"
"""LOOPBACK in a form that the app does not recognize as loopback.

An app that runs as in Azure refuses loopback service URLs; with this one in AllowedServiceHosts it
can reply to a local connector.
"""

FREE_PORTS = range(20000, 32768)
"""Below the ports that Linux, macOS and Windows give to connections."""


def free_port() -> int:
    """A port that nobody listens on, for a program that will listen on it.

    No connection takes the port before the program does, as it could with one that the system
    chooses.
    """
    while True:
        port = random.choice(FREE_PORTS)  # noqa: S311  # no secret
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        return port
