"""Stored objects of the Agents SDK, and of pydantic, which `make test` may lack."""

import pytest

from tests.support.extended import pytest_ignore_collect, pytest_itemcollected  # noqa: F401


@pytest.fixture(autouse=True)
def no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's classes do not reach an app that another test has left behind."""
    monkeypatch.setattr("cloud_adapter.agents.bot._latest", None)
