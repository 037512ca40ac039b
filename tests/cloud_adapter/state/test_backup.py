"""The state's backup: docs/operations.md copies the blobs' content, and nothing else."""

import pytest

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.storage.blobs import BlobContainer
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.remembering_bot import RememberingBot, counts
from tests.support.logic import MESSAGE

STATE = "bot-state"


def container(app: ComposedApp) -> BlobContainer:
    """The container of the app's state."""
    account = app.parts.account
    assert account is not None
    return BlobContainer(account, STATE)


async def test_state_is_restored(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, azurite: AzuriteAccounts
) -> None:
    """Another account with the same content has the same state, and knows what was processed."""
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": azurite.fresh()}) as app:
        for name in ("a1", "a2"):
            await app.deliver({**MESSAGE, "id": name}, RememberingBot(app.parts))
        names = [entry.name async for entry in container(app).list()]
        found = {name: await container(app).read(name) for name in names}
        conversation = app.conversation
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": azurite.fresh()}) as other:
        other.conversation = conversation
        assert await counts(other) == (None, None)
        for name, blob in found.items():
            assert blob is not None
            await container(other).write(name, blob.content, None)
        assert await counts(other) == (2, 2)
        bot = RememberingBot(other.parts)
        for name in ("a2", "a3"):
            await other.deliver({**MESSAGE, "id": name}, bot)
        assert await counts(other) == (3, 3)
