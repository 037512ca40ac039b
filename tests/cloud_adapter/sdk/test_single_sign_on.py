"""The SDK's TeamsSSOTokenExchangeMiddleware: a user's devices all offer a token, and one counts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from botbuilder.core import TurnContext
from botbuilder.core.teams import TeamsSSOTokenExchangeMiddleware

from bot_workbench.emulator.channel.user_tokens import UserConnection
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.composed_app import USER, ComposedApp

CONNECTION = "My own connection"
TARGET = UserConnection(USER["id"], CONNECTION, "msteams")
DEVICES = 4


@pytest.fixture(params=["memory", "blobs"])
async def app(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str, request: pytest.FixtureRequest
) -> AsyncIterator[ComposedApp]:
    """The app with the middleware, on each storage."""
    changes = {"AzureWebJobsStorage": storage} if request.param == "blobs" else {}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        services = app.parts.services
        services.use(TeamsSSOTokenExchangeMiddleware(services.storage, CONNECTION))
        yield app
    cloud.user_tokens.sign_out(TARGET.user_id, "", "")


async def offer(app: ComposedApp, exchange_id: str, token: str) -> tuple[list[int], int]:
    """The statuses of the answers to all devices (0: an error), and how many reached the bot."""
    reached = 0

    async def bot(_: TurnContext) -> None:
        nonlocal reached
        reached += 1

    value = {"id": exchange_id, "connectionName": CONNECTION, "token": token}
    invoke = {"type": "invoke", "name": "signin/tokenExchange", "value": value}
    devices = [app.deliver({**invoke, "channelId": "msteams"}, bot) for _ in range(DEVICES)]
    answers = await asyncio.gather(*devices, return_exceptions=True)
    return sorted(getattr(answer, "status", 0) for answer in answers), reached


async def test_one_of_many_devices(app: ComposedApp) -> None:
    """The bot gets one invoke; the other devices are answered by the middleware."""
    users = app.cloud.user_tokens
    token = users.exchangeable_token(users.resource, TARGET.user_id, "Ada")
    for exchange_id in ("first", "second"):
        statuses, reached = await offer(app, exchange_id, token)
        # The test's bot answers no invoke, which is a 501.
        assert (statuses, reached) == ([200] * (DEVICES - 1) + [501], 1)
    assert users.has_token(TARGET)


async def test_a_token_that_cannot_be_exchanged(app: ComposedApp) -> None:
    """Each device gets 412, and the bot no invoke."""
    assert await offer(app, "first", "x") == ([412] * DEVICES, 0)
    assert app.texts() == []
