"""OwnAzurite: Azurite for the tests of one folder, with fresh accounts."""

import base64
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

PROGRAM = Path(__file__).parents[2] / ".cache/azurite/node_modules/.bin/azurite"
COUNT = 256


class OwnAzurite:
    """Runs Azurite in memory."""

    def __init__(self) -> None:
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._names = [f"account{number}" for number in range(COUNT)]
        self._ports = [_free_port() for _ in range(3)]

    def __enter__(self) -> Self:
        services = zip(("blob", "queue", "table"), self._ports, strict=True)
        ports = [word for name, port in services for word in (f"--{name}Port", str(port))]
        command = [str(PROGRAM), "--inMemoryPersistence", "--disableTelemetry", "--silent"]
        accounts = ";".join(f"{name}:{self._key}" for name in self._names)
        self._process = subprocess.Popen(
            [*command, "--skipApiVersionCheck", *ports],
            env={**os.environ, "AZURITE_ACCOUNTS": accounts},
            stdout=subprocess.DEVNULL,
        )
        for port in self._ports:
            _wait_for(port)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)

    def fresh(self) -> str:
        """The connection string of an account that nobody has used."""
        name = self._names.pop()
        blob, queue, _ = self._ports
        return (
            f"DefaultEndpointsProtocol=http;AccountName={name};AccountKey={self._key};"
            f"BlobEndpoint=http://127.0.0.1:{blob}/{name};"
            f"QueueEndpoint=http://127.0.0.1:{queue}/{name};"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Azurite does not start")
