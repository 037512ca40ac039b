"""Two operators run `certificate` at once: one is held at one of its writes, the other finishes."""

import asyncio
import os
import subprocess
import sys

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.interruption.state import KINDS
from tests.admin.migrate.migration import APP, BOT, VAULT, Migration
from tests.support.azure.writes import interfere_with_writes
from tests.support.project import ROOT
from tests.support.timing.condition import until

CERTIFICATE = ("certificate", "--bot", BOT, "--app", APP, "--vault", VAULT)
ASSIGNMENTS = KINDS[-1]
MAX_WRITES = 5
"""Of a run that makes the certificate: the version, its key, two roles and the settings."""


@pytest.mark.parametrize("number", range(MAX_WRITES))
@pytest.mark.parametrize("is_done", [False, True], ids=["before it is done", "after it is done"])
def test_the_newest_version_is_registered_and_nothing_else(
    migration: Migration, number: int, *, is_done: bool
) -> None:
    """Whatever the slower run was about to write, or has written without an answer."""
    azure, count = migration.thread.azure, 0
    held, released = asyncio.Event(), asyncio.Event()

    async def hold(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal count
        count += 1
        if count != number + 1:
            return await handler(request)
        answer = await handler(request) if is_done else None
        held.set()
        await released.wait()
        return answer or await handler(request)

    migration.thread.call(interfere_with_writes, azure, hold)
    slower = subprocess.Popen(
        [sys.executable, "-m", "bot_workbench", "migrate", *CERTIFICATE],
        cwd=ROOT,
        env={**os.environ, **azure.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: held.is_set() or slower.poll() is not None)
        ended = migration.run(*CERTIFICATE)
        assert ended.status == 0, ended.output + ended.errors
        migration.thread.call(released.set)
        output, _ = slower.communicate(timeout=120)
    finally:
        migration.thread.call(released.set)
        slower.kill()
        slower.wait()
    assert slower.returncode == 0, output

    inventory = azure.vaults[f"{VAULT}.vault.azure.net"].inventory
    versions = [each.certificate for each in inventory.versions["bot-certificate"]]
    assert list(migration.old.registration.certificates) == versions[-1:]
    assert not inventory.pending or all(each.completed for each in inventory.pending.values())
    assert ("another run has made a version" in output) == (len(versions) > 1)
    roles = [each.properties for each in azure.resource_manager.resources.of_type(ASSIGNMENTS)]
    mine = [each for each in roles if each["principalId"] == migration.new.identity["principalId"]]
    assert len({(each["scope"], each["roleDefinitionId"]) for each in mine}) == len(mine)
