"""SDK_LOG_LEVELS: what SDKs and the clients of language models do not log."""

import logging
from collections.abc import Iterator

import pytest

from composition import SDK_LOG_LEVELS, limit_sdk_logs
from tests.support.wire.scripted_service import Reply, ScriptedService

QUIET = {
    "azure.core.pipeline.policies.http_logging_policy": logging.INFO,
    "azure.identity.aio._internal.decorators": logging.WARNING,
    "azure.keyvault.secrets": logging.WARNING,
    "httpcore.http11": logging.DEBUG,
    "httpcore2.http11": logging.DEBUG,
    "httpx": logging.INFO,
    "httpx2": logging.INFO,
    "microsoft_agents.hosting.core.connector.client.user_token": logging.INFO,
    "msal.token_cache": logging.DEBUG,
    "openai._base_client": logging.INFO,
}
"""By the names of loggers in the packages' sources: a level at which nothing may be logged."""

WORD = "sesame"


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The levels are as in a new process, but for the root's, which lets everything through."""
    loggers = [logging.getLogger(name) for name in SDK_LOG_LEVELS]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG):
        yield
    for each, level in zip(loggers, before, strict=True):
        each.setLevel(level)


@pytest.mark.parametrize("name", QUIET)
def test_what_is_not_logged(name: str) -> None:
    """Each row of the table is needed."""
    assert logging.getLogger(name).isEnabledFor(QUIET[name])
    limit_sdk_logs()
    assert not logging.getLogger(name).isEnabledFor(QUIET[name])


def test_every_row_is_tested() -> None:
    """A new row needs a logger in QUIET."""
    for row in SDK_LOG_LEVELS:
        assert [name for name in QUIET if f"{name}.".startswith(f"{row}.")]


@pytest.mark.extended(covered_by=["tests/test_sdk_logs.py"])
@pytest.mark.parametrize("limited", [False, True])
async def test_a_request_to_a_model(limited: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The OpenAI library, and what it sends with, log nothing of it, not even that it failed."""
    from openai import AsyncOpenAI, InternalServerError  # the base does not need them

    if limited:
        limit_sdk_logs()
    async with ScriptedService() as service:
        service.otherwise = Reply(500, {"error": {"message": WORD}})
        async with AsyncOpenAI(base_url=f"{service.url}/{WORD}", api_key=WORD) as client:
            with pytest.raises(InternalServerError):
                await client.with_options(max_retries=0).chat.completions.create(
                    model=WORD, messages=[{"role": "user", "content": WORD}]
                )
    libraries = {"httpcore2", "httpx2", "openai"}
    logged = {each.name.partition(".")[0] for each in caplog.records} & libraries
    assert logged == (set() if limited else libraries)
