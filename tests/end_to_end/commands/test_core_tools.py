"""`make run` where Core Tools are installed: the inspector works in front of `func start`."""

import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.loopback import free_port
from tests.emulator.inspector.inspector_client import InspectorClient, LiveView
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.core_tools.core_tools import PROGRAM
from tests.support.project import ROOT
from tests.support.timing.condition import comes_true, found

CHAT = r"Chat: +(http://\S+?)/?$"


@pytest.fixture
def _core_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for Core Tools, in front of everything else on the PATH."""
    func = tmp_path / "bin" / "func"
    func.parent.mkdir()
    func.write_text(f'#!/bin/sh\nexec {sys.executable} {PROGRAM} "$@"\n')
    func.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(func.parent), os.environ["PATH"])))
    monkeypatch.setenv("STAND_IN_FOLDER", str(tmp_path))
    monkeypatch.setenv("STAND_IN_PROJECT", str(ROOT))


@pytest.mark.usefixtures("_core_tools")
async def test_a_turn_in_detail(logs: Path) -> None:
    """With an inspector open, a turn has what only the worker knows; the status is the worker's."""
    ports = {"PORT": str(free_port()), "CHAT_PORT": str(free_port())}
    log = logs / "make run in front of func.log"
    with MakeTarget("run", CHAT, log, {"BOT": str(TEST_BOT), **ports}) as run:
        async with aiohttp.ClientSession(run.found) as session:
            client = InspectorClient(session)
            async with client.live() as view:
                await comes_true(lambda: state(view) == "ready")
                turn = await found(lambda: recorded_turn(client))
    assert {each["outcome"] for each in turn["checks"]} == {"passed", "skipped"}
    [text] = [reply["text"] for reply in turn["replies"] if "text" in reply]
    assert text.startswith("Count: ")
    assert any(text in str(each["request"]) for each in turn["calls"])


def state(view: LiveView) -> str:
    """The bot's newest state."""
    return str([view.hello, *view.of_type("status")][-1]["status"]["state"])


async def recorded_turn(client: InspectorClient) -> Any:
    """Send a message; any turn whose details are known by now, or None."""
    await client.send(text="count")
    for row in [each for each in await client.rows() if each["detailed"]]:
        turn = await client.turn(row["id"])
        if {each["name"] for each in turn["spans"]} >= {"the bot's on_turn", "authentication"}:
            return turn
    return None
