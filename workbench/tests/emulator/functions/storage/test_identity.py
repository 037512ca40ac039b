"""ManagedIdentity: tokens for storage from App Service's endpoint, as the local cloud has it."""

from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest

from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.functions.errors import StorageError
from bot_workbench.emulator.functions.storage.identity import AUDIENCE, ManagedIdentity


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    """A local cloud."""
    cloud = Cloud(tmp_path)
    await cloud.start()
    yield cloud
    await cloud.stop()


async def test_a_token_is_kept(cloud: Cloud) -> None:
    """One request serves all calls until shortly before the token expires."""
    identity = ManagedIdentity(cloud.user_assigned, cloud.settings())
    token = await identity.token()
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == AUDIENCE
    assert await identity.token() == token
    assert sum(cloud.identity.server.requests.values()) == 1


async def test_a_token_that_expires_soon(cloud: Cloud) -> None:
    """A token that is not valid for some minutes more is requested again."""
    cloud.entra.token_lifetime = 200
    identity = ManagedIdentity(cloud.user_assigned, cloud.settings())
    for _ in range(2):
        await identity.token()
    assert sum(cloud.identity.server.requests.values()) == 2


async def test_an_identity_that_the_app_does_not_have(cloud: Cloud) -> None:
    """The error says what the endpoint answers."""
    identity = ManagedIdentity("00000000-0000-0000-0000-000000000001", cloud.settings())
    with pytest.raises(StorageError, match="answers 400, no token"):
        await identity.token()


async def test_no_endpoint() -> None:
    """Outside of the local cloud there is no managed identity."""
    with pytest.raises(StorageError, match="IDENTITY_ENDPOINT is not the URL"):
        await ManagedIdentity("", {}).token()
