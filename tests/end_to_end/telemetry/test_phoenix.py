"""The trace of a queued turn in a collector that is not this project's: Arize Phoenix.

It takes 800 MB of disk and half a minute to start: only `make collector` installs it and runs this.
"""

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from auth.settings import QUEUED
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import LOOPBACK, free_port
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

PHOENIX = ROOT / ".cache" / "phoenix" / "bin" / "phoenix"
START_SECONDS = 120.0
PATH = (
    "agents.adapter.process",
    "send bot-turns",
    "process bot-turns",
    "agents.app.run",
    "agents.connector.reply_to_activity",
)
"""The spans on the way from the POST to the reply, each the parent of the next one."""


@pytest.fixture
def phoenix(tmp_path: Path) -> Iterator[str]:
    """The URL of a collector with an empty database."""
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "PHOENIX_HOST": LOOPBACK,
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_WORKING_DIR": str(tmp_path / "phoenix"),
    }
    with (tmp_path / "phoenix.log").open("w") as log:
        process = Program([PHOENIX, "serve"], env=environ, cwd=tmp_path, stdout=log, stderr=log)
    with process:
        url = f"http://{LOOPBACK}:{port}"
        until(lambda: bool(spans(url) is not None or process.poll()), START_SECONDS)
        assert process.poll() is None, (tmp_path / "phoenix.log").read_text()
        yield url
        process.kill()


def spans(url: str) -> list[dict[str, Any]] | None:
    """The spans that it has; None if it does not answer."""
    try:
        with urllib.request.urlopen(f"{url}/v1/projects/default/spans?limit=100") as answer:  # noqa: S310  # loopback
            found: list[dict[str, Any]] = json.load(answer)["data"]
            return found
    except OSError:
        return None


@pytest.mark.collector
def test_one_trace(phoenix: str, tmp_path: Path, storage: str, logs: Path) -> None:
    """It shows one trace, from the POST through the queue to the reply."""
    with CloudThread(Cloud(tmp_path)) as thread:
        settings = {
            **thread.cloud.settings(),
            "AzureWebJobsStorage": storage,
            "BotTurns": QUEUED,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{phoenix}/v1/traces",
        }
        with (
            BotProcess(settings, logs / "phoenix.log") as process,
            closing(Caller(process.url)) as caller,
        ):
            user = User(thread.cloud, caller)
            assert user.says("sesame") == 202
            until(lambda: set(PATH) <= {each["name"] for each in spans(phoenix) or ()})
            assert user.texts() == ["You said: sesame"]
    found = {each["name"]: each for each in spans(phoenix) or ()}
    path = [found[name] for name in PATH]
    assert len({each["context"]["trace_id"] for each in path}) == 1
    assert [each["parent_id"] for each in path[1:]] == [
        each["context"]["span_id"] for each in path[:-1]
    ]
    assert "sesame" not in json.dumps(spans(phoenix))
