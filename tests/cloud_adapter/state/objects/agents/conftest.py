"""Stored objects of the Agents SDK, and of pydantic, which `make test` may lack."""

import pytest

from tests.support.extended import pytest_ignore_collect, pytest_itemcollected  # noqa: F401


@pytest.fixture(autouse=True)
def no_app() -> None:
    """The SDK's classes do not reach an app that another test has left behind."""
    from cloud_adapter.agents.bot import reach  # here, because `make test` may lack the SDK

    reach(None)
