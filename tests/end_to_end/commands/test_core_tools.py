"""`make run` where Core Tools are installed: the inspector works in front of `func start`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.loopback import free_port
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.core_tools.core_tools import PROGRAM
from tests.support.project import ROOT
from tests.support.timing.condition import SECONDS

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
def test_a_turn_in_detail(logs: Path) -> None:
    """With an inspector open, a turn has what only the worker knows; the status is the worker's."""
    ports = {"PORT": str(free_port()), "CHAT_PORT": str(free_port())}
    log = logs / "make run in front of func.log"
    with MakeTarget("run", CHAT, log, {"BOT": str(TEST_BOT), **ports}) as run:
        turn = asyncio.run(recorded_turn(f"{run.found}/api/inspector"))
    assert turn["detailed"] is True
    assert {each["outcome"] for each in turn["checks"]} == {"passed", "skipped"}
    assert {"the bot's on_turn", "authentication"} <= {each["name"] for each in turn["spans"]}
    assert any("Count: 1" in str(each["request"]) for each in turn["calls"])


async def recorded_turn(api: str) -> Any:
    """Open an inspector, wait for the bot, and return what is known of a turn once it has ended."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.ws_connect(f"{api}/live?record=1") as live,
        asyncio.timeout(SECONDS),
    ):
        status = (await live.receive_json())["status"]
        while status["state"] != "ready":
            status = (await live.receive_json()).get("status", status)
        message = {"activity": {"type": "message", "text": "count"}}
        async with session.post(f"{api}/send", json=message) as answer:
            turn = (await answer.json())["turn"]
        while True:
            async with session.get(f"{api}/turns/{turn}") as answer:
                found = await answer.json()
            if found["outcome"] == "done" and found["spans"]:
                return found
            await asyncio.sleep(0.05)
