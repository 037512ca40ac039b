"""Steps that look at the local Azure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.target import Target
from tests.admin.migrate.migration import APP, BOT
from tests.admin.migrate.route import Route, new_route
from tests.support.azure.azure_thread import AzureThread


@pytest.fixture
def route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Route]:
    """A bot of type SingleTenant."""
    with AzureThread(tmp_path) as thread:
        yield new_route(tmp_path, monkeypatch, thread)


@pytest.fixture
def target(route: Route) -> Iterator[Target]:
    """The bot and its Function App, as steps see them."""
    with AzureClients(PUBLIC, clock=route.clock) as azure:
        yield Target(azure, Options("certificate", BOT, APP))
