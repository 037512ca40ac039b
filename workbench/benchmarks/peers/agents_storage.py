"""The storage of an application of the Agents SDK: blobs if it has an account, memory without."""

from collections.abc import Mapping
from typing import Any

from microsoft_agents.hosting.core import MemoryStorage

SETTING = "AzureWebJobsStorage"


def storage(environ: Mapping[str, str]) -> Any:
    """The SDK's own storage for these settings."""
    if not environ.get(SETTING):
        return MemoryStorage()
    # Only here: an echo bot does not pay for it.
    from microsoft_agents.storage.blob import BlobStorage, BlobStorageConfig

    return BlobStorage(BlobStorageConfig("bot-state", connection_string=environ[SETTING]))
