"""Nothing blocks the event loop, even while every endpoint is slow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.cloud import APP_TYPES, Cloud
from tests.support.bot_process import APP
from tests.support.cloud_thread import CloudThread
from tests.support.http_post import Caller
from tests.support.user import User

LATENCY = 0.6
"""Seconds that each sign-in endpoint takes: a call that blocks stalls the loop for as long."""


@pytest.mark.parametrize("credential", list(APP_TYPES))
def test_worst_stall(credential: str, tmp_path: Path) -> None:
    """A cold start with slow endpoints stalls the loop for less than one of their answers."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        for part in (cloud.entra, cloud.identity, cloud.vault, cloud.channel):
            part.server.faults.set(latency=LATENCY)
        cloud.connector.server.faults.set(latency=0.02)
        user = User(cloud, Caller("http://localhost:1"))
        activity = user.addressed({"type": "message", "text": "hello"})
        asked = {"activity": activity, "authorization": f"Bearer {user.token}"}
        probe = subprocess.run(
            [sys.executable, "-m", "tests.support.stall_probe"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(APP), **cloud.settings()},
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
    assert probe.returncode == 0, probe.stderr
    found = json.loads(probe.stdout)
    assert found["statuses"] == [200] * 56
    print(f"{credential}: worst stall {found['worst_stall'] * 1000:.1f} ms")
    assert found["worst_stall"] < LATENCY / 2
