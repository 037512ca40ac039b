"""A bot that moves to a federated credential."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.migrate.route import Route, new_route
from tests.support.azure.azure_thread import AzureThread


@pytest.fixture
def route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Route]:
    """A bot of type SingleTenant, or of the type of the test's parameter."""
    with AzureThread(tmp_path) as thread:
        yield new_route(tmp_path, monkeypatch, thread, getattr(request, "param", "SingleTenant"))
