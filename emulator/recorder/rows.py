"""ROWS: what the recorder watches, part by part of a turn."""

from emulator.recorder.interception import Interception
from emulator.recorder.observers import calls, failures, invocations, stored_blobs

ADAPTER = "cloud_adapter.adapter"
BLOBS, MEMORY = "cloud_adapter.storage.blobs", "cloud_adapter.storage.memory_container"

ALWAYS = (
    Interception("function_app", "refusal", invocations.refusal),
    Interception(ADAPTER, "CloudAdapter.handle_error", failures.failure),
    Interception(ADAPTER, "CloudAdapter.log_error", failures.failure),
    Interception(ADAPTER, "CloudAdapter.handle_last_error", failures.failure),
)
"""Also while no inspector is open: what failed is shown in the terminal."""

DETAILS = (
    Interception("cloud_adapter.connector.session", "ConnectorSession.call", calls.connector_call),
    Interception("cloud_adapter.connector.skills", "SkillClient.post_activity", calls.skill_call),
    Interception("cloud_adapter.storage.account", "StorageAccount.call", calls.storage_call),
    Interception("http_client.pool", "HttpPool.request", calls.request),
    Interception("http_client.connection", "HttpConnection.open", calls.opening),
    Interception(BLOBS, "BlobContainer.read", stored_blobs.reading),
    Interception(BLOBS, "BlobContainer.write", stored_blobs.writing),
    Interception(BLOBS, "BlobContainer.delete", stored_blobs.deletion),
    Interception(MEMORY, "MemoryContainer.read", stored_blobs.reading),
    Interception(MEMORY, "MemoryContainer.write", stored_blobs.writing),
    Interception(MEMORY, "MemoryContainer.delete", stored_blobs.deletion),
)
"""While turns are recorded in detail."""
