"""What a bot has stored of conversations, read as it reads it itself."""

from collections.abc import Iterable
from typing import Any

from auth.settings import StorageSource
from bot_workbench.emulator.channel.conversations import Conversation
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from http_client.pool import HttpPool
from tests.support.wire.insistent_channel import CHANNEL


async def stored_state(
    connection_string: str, conversations: Iterable[Conversation], channel_id: str = CHANNEL
) -> dict[str, dict[str, Any]]:
    """The state of each conversation, by its id; nothing for those without one."""
    account = StorageAccount(StorageSource(connection_string=connection_string), HttpPool())
    storage = BlobStorage(ConversationLocks(BlobContainer(account, CONTAINER)))
    keys = {each.id: f"{channel_id}/conversations/{each.id}" for each in conversations}
    try:
        found = await storage.read(keys.values())
    finally:
        await account.close()
    return {name: found.get(key, {}) for name, key in keys.items()}
