"""LanguageModel: the faults of its server."""

import asyncio

import pytest
from openai import (
    APIConnectionError,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
)

from bot_workbench.emulator.language_model.language_model import LanguageModel
from bot_workbench.emulator.services.presets import PRESETS
from tests.emulator.language_model.asking import complete, stream
from tests.support.timing.condition import comes_true


async def test_a_fault(model: LanguageModel, client: AsyncOpenAI) -> None:
    """A faulty response has the shape of the model's errors, and uses up no scripted answer."""
    model.answers("Soup.")
    model.server.faults.set(status=500, remaining=1)
    with pytest.raises(InternalServerError) as raised:
        await stream(client)
    assert raised.value.type == "server_error"
    assert (await complete(client)).choices[0].message.content == "Soup."


async def test_a_slow_server(model: LanguageModel, client: AsyncOpenAI) -> None:
    """It answers, later."""
    model.server.faults.set(latency=0.05)
    assert await stream(client)


async def test_a_silent_server(model: LanguageModel, client: AsyncOpenAI) -> None:
    """It accepts the request, and sends nothing until the caller goes."""
    model.server.faults.set(silent=True)
    asking = asyncio.create_task(complete(client))
    await comes_true(lambda: model.server.faults.held == 1)
    asking.cancel()
    await comes_true(lambda: model.server.faults.held == 0)


async def test_no_server(model: LanguageModel, client: AsyncOpenAI) -> None:
    """Once it has stopped, nobody listens; later it listens at the same URL."""
    url = model.server.url
    await model.server.stop()
    with pytest.raises(APIConnectionError):
        await complete(client)
    await model.server.start()
    assert model.server.url == url
    assert (await complete(client)).choices


async def test_presets(model: LanguageModel, client: AsyncOpenAI) -> None:
    """The pages' faults of the model: its refusals are those of a script."""
    presets = {each.name: each.faults for each in PRESETS["model"]}
    model.server.faults.set(**presets["filtered"])
    with pytest.raises(BadRequestError) as filtered:
        await stream(client)
    assert filtered.value.code == "content_filter"
    model.server.faults.set(**presets["no-role"])
    with pytest.raises(AuthenticationError) as denied:
        await stream(client)
    assert denied.value.code == "PermissionDenied"
