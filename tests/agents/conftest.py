"""Bots of the Agents SDK run inline and queued, with their state in memory and in storage."""

import dataclasses

import pytest

from bot_testing import ChatOptions


@pytest.fixture(params=["Inline memory", "Queued azurite"])
def chat_options(request: pytest.FixtureRequest, chat_options: ChatOptions) -> ChatOptions:
    """The test's options, once for each kind of turn."""
    turns, storage = request.param.split()
    return dataclasses.replace(chat_options, turns=turns, storage=storage)
