"""Stored objects of the Agents SDK, and of pydantic."""

import pytest

from cloud_adapter.agents.bot import reach


@pytest.fixture(autouse=True)
def no_app() -> None:
    """The SDK's classes do not reach an app that another test has left behind."""
    reach(None)
