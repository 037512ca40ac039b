"""The connection between a host and a worker process."""

import sys

from bot_workbench.emulator.functions.workers.process import WorkerProcess

PROGRAM = """
import json
import os
import socket

port, _, secret = os.environ["FUNCTIONS_LIFELINE"].partition(":")


def connected(shown):
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.sendall(shown.encode() + b"\\n")
    return connection


if connected("wrong").recv(1):
    raise SystemExit("the host talks to a stranger")
host = connected(secret)
assert json.loads(host.makefile().readline()) == {"do": "load"}
report = {"http": 1, "invocations": 1, "functions": [], "fault": "none is there"}
host.sendall(json.dumps(report).encode() + b"\\n")
host.recv(1)
"""


async def test_lifeline_needs_the_secret() -> None:
    """What connects without the worker's secret is sent nothing, and the worker still connects."""
    worker = WorkerProcess(1, [sys.executable, "-c", PROGRAM])
    await worker.spawn()
    report = await worker.load()
    await worker.end(0)
    assert report.fault == "none is there"
    assert not worker.is_running
