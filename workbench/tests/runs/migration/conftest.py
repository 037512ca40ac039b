"""A local Azure in which an old bot runs, with a Function App that is to be its new one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.emulator.entra.directory import Propagation
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.shell import AdminShell
from tests.support.azure.stage import APP, BOT, VAULT, Stage


def slow_down(stage: Stage) -> None:
    """Let changes take a while to be known everywhere, as in Azure; here it is seconds."""
    azure = stage.azure
    azure.directory.propagation = Propagation(
        certificate=3.0, federated=3.0, deleted_secret=2.0, graph=0.5
    )
    stage.old.registration.intermittent = True
    azure.resource_manager.access.lag = 2.0
    azure.resource_manager.tenant.directory_lag = 1.0


@pytest.fixture
def app_type() -> str:
    """The old bot's type."""
    return "SingleTenant"


@pytest.fixture
def stage(
    tmp_path: Path, logs: Path, app_type: str, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    """Everything runs, and the old bot serves."""
    name = request.node.name
    with AzureThread(tmp_path, in_processes=True) as thread:
        azure = thread.azure
        old = thread.call(azure.add_old_bot, BOT, app_type)
        new = thread.call(lambda: azure.add_function_app(APP, vault=VAULT))
        secret = azure.resource_manager.app_settings(old.site.id)["MicrosoftAppPassword"]
        shell = AdminShell(azure, logs / f"{name}.log")
        stage = Stage(thread, old, new, shell, secret, name)
        slow_down(stage)
        thread.settle(old.site.name)
        yield stage
