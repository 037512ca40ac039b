"""functions_host: what serves the app in a local run."""

import os
from pathlib import Path

import pytest

from bot_workbench.commands.run.hosts import functions_host, wait_until_it_loads
from bot_workbench.commands.run.unauthenticated_run import UNAUTHENTICATED
from bot_workbench.emulator.loopback import free_port
from tests.support.bots.app_folder import app_with


async def test_func_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This project's host serves the app, even if a program `func` is first on the PATH."""
    called = tmp_path / "called"
    func = tmp_path / "bin" / "func"
    func.parent.mkdir()
    func.write_text(f"#!/bin/sh\ntouch '{called}'\n")
    func.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(func.parent), os.environ["PATH"])))
    port = free_port()
    host = functions_host(
        port, UNAUTHENTICATED, app_with(tmp_path / "app", {}), reload_bot=tmp_path
    )
    await host.start()
    try:
        await wait_until_it_loads(f"http://localhost:{port}/api/health", host)
    finally:
        await host.stop()
    assert not called.exists()
