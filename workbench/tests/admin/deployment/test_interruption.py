"""Each hook is killed after each of its changes and run again: the same end, nothing twice."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.deployment.test_prepare import registrations
from tests.support.azd import program
from tests.support.azd.deployment_stage import DeploymentStage
from tests.support.azd.hooks import TIMEOUT_SECONDS, Hooks
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.writes import Interference, interfere_with_writes

KILLED = -signal.SIGKILL

CASES = {
    "SignInVault, preprovision": ("SignInVault", "preprovision", 2),
    "SignInVault, postprovision": ("SignInVault", "postprovision", 3),
    "SignInVault, postdown": ("SignInVault", "postdown", 1),
    "Federated, postprovision": ("Federated", "postprovision", 1),
}
"""The credential, the hook, and how many calls change something in Azure."""

STORED = {"preprovision": ("BOT_APP_ID",), "postdown": ("BOT_APP_ID",)}
"""The values that a hook stores in azd's environment."""


class Played:
    """A deployment right before one of its hooks.

    Args:
        stage: the deployment.
        event: the hook's.
    """

    def __init__(self, stage: DeploymentStage, event: str) -> None:
        self.stage = stage
        self.event = event
        self.hooks = Hooks(stage.thread.azure, stage.azd)
        if event != "preprovision":
            self.run("preprovision")
            stage.provision()
        if event == "postdown":
            self.run("postprovision")
            stage.delete()

    def run(self, event: str = "") -> None:
        """Run a hook to its end, which must be good."""
        ended = self.hooks.run(event or self.event)
        assert ended.status == 0, ended.output

    def run_killed(self, at: int, interfere: str) -> int:
        """Kill the hook at its n-th write to Azure, before or after the answer; its status."""
        started = Future[int]()

        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            pid = await asyncio.wrap_future(started)
            if interfere == "after the answer":
                await response.prepare(request)
                await response.write_eof()
            os.kill(pid, signal.SIGKILL)
            return response

        count = self.listen(at, around)
        process = self._start()
        started.set_result(process.pid)
        status = self._wait(process)
        assert len(count) == at
        self.listen()
        return status

    def run_killed_by_azd(self, name: str) -> int:
        """Kill the hook right after azd has stored a value; its status."""
        return self._wait(self._start(**{program.KILL: name}))

    def listen(self, at: int = 0, interfere: Interference | None = None) -> list[str]:
        """Count the writes from now on, and interfere with the n-th."""
        found = list[str]()

        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            found.append(f"{request.method} {request.path}")
            if len(found) == at and interfere is not None:
                return await interfere(request, handler)
            return await handler(request)

        interfere_with_writes(self.stage.thread.azure, around)
        return found

    def state(self) -> dict[str, Any]:
        """How things stand, without ids that differ from run to run."""
        azure, apps = self.stage.thread.azure, registrations(self.stage)
        found = [azure.directory.registrations[each] for each in apps]
        versions = [
            version.certificate
            for vault in azure.vaults.values()
            for listed in vault.inventory.versions.values()
            for version in listed
        ]
        values = self.stage.azd.values
        return {
            "principals": [bool(each.service_principal_id) for each in found],
            "certificates": [each.certificates == versions for each in found],
            "versions": len(versions),
            "federated": [len(each.federated_credentials) for each in found],
            "mode": values.get("BOT_VAULT_CREATE_MODE"),
            "app id": [values.get("BOT_APP_ID")] == apps if apps else values.get("BOT_APP_ID"),
        }

    def _start(self, **variables: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.hooks.command(self.event),
            env=self.hooks.environ() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(TIMEOUT_SECONDS)
        finally:
            process.kill()
            process.wait()


@contextmanager
def played(folder: Path, credential: str, event: str) -> Iterator[Played]:
    """A fresh subscription, in which a deployment has come to one of its hooks."""
    folder.mkdir()
    with AzureThread(folder) as thread:
        yield Played(DeploymentStage(thread, folder, BOT_CREDENTIAL=credential), event)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_killed_after_each_change(name: str, tmp_path: Path) -> None:
    """Run again, the hook ends where it would have ended: one registration, one certificate."""
    credential, event, count = CASES[name]
    with played(tmp_path / "whole", credential, event) as whole:
        writes = whole.listen()
        whole.run()
        end = whole.state()
    assert len(writes) == count, writes
    for number in range(1, count + 1):
        for moment in ("before the answer", "after the answer"):
            folder = tmp_path / f"{number} {moment}"
            with played(folder, credential, event) as cut:
                assert cut.run_killed(number, moment) == KILLED
                cut.run()
                assert cut.state() == end, (number, moment)
    for stored in STORED.get(event, ()):
        with played(tmp_path / stored, credential, event) as cut:
            assert cut.run_killed_by_azd(stored) == KILLED
            cut.run()
            assert cut.state() == end, stored
