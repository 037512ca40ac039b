"""The bots of this folder run inline and queued, with their state in memory and in storage."""

import dataclasses
from collections.abc import Iterator

import pytest

from bot_testing import ChatOptions
from tests.samples.blocking_service import BlockingService


@pytest.fixture(scope="session")
def outside() -> Iterator[BlockingService]:
    """The services of others that the bots call."""
    with BlockingService() as service:
        yield service


@pytest.fixture(params=["Inline memory", "Inline azurite", "Queued azurite"])
def chat_options(
    request: pytest.FixtureRequest, chat_options: ChatOptions, outside: BlockingService
) -> ChatOptions:
    """The test's options, once for each kind of turn and each store."""
    turns, storage = request.param.split()
    settings = {
        "ConnectionName": "letters",
        "MailUrl": outside.url,
        "TranslatorUrl": outside.url,
        **chat_options.settings,
    }
    return dataclasses.replace(chat_options, turns=turns, storage=storage, settings=settings)
