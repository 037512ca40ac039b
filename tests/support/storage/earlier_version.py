"""EarlierVersion: what an earlier version left in the storage of a bot with queued turns.

It stored each activity in a blob, and a marker beside it while the activity waited.
"""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient

from emulator.channel.conversations import Activity
from tests.support.wire.running_service import RunningService

TURNS, STATE = "bot-turns", "bot-state"
POISON = "bot-turns-poison"
_FAILURE = "ValueError: as asked"


class EarlierVersion(RunningService):
    """Writes as that version did, of activities with simple ids.

    Args:
        storage: connection string of the bot's account.
        claims: the claims of the caller who sent the activities.
    """

    def __init__(self, storage: str, claims: Mapping[str, Any]) -> None:
        self._claims = dict(claims)
        self._blobs = BlobServiceClient.from_connection_string(storage)
        self._queue = QueueClient.from_connection_string(storage, TURNS)
        self._poison = QueueClient.from_connection_string(storage, POISON)

    async def start(self) -> None:
        """Create the containers and the queues."""
        for container in (TURNS, STATE):
            await self._blobs.create_container(container)
        for queue in (self._queue, self._poison):
            await queue.create_queue()

    async def stop(self) -> None:
        """Close the connections."""
        for client in (self._blobs, self._queue, self._poison):
            await client.close()

    async def accepted(self, activity: Activity) -> None:
        """An activity waits, and has its wake-up message."""
        accepted_at = await self._stored(activity, "waiting", 0)
        marker = f"waiting/{_conversation(activity)}/{accepted_at:020}/{activity['id']}"
        await self._write(TURNS, marker, b"", {})
        await self._put(self._queue, activity)

    async def failed(self, activity: Activity, attempts: int) -> None:
        """An activity's turn has failed so often, and the host delivers its message again."""
        await self._stored(activity, "waiting", attempts)
        await self._put(self._queue, activity)
        for _ in range(attempts):
            message = await self._queue.receive_message()
            assert message is not None
            await self._queue.update_message(message, visibility_timeout=0)

    async def dead_lettered(self, activity: Activity) -> None:
        """An activity's turn has failed five times."""
        await self._stored(activity, "failed", 5, failure=_FAILURE)
        await self._put(self._poison, activity)

    async def processed(self, activity: Activity, counter: int) -> None:
        """The conversation has counted an activity, whose wake-up message comes once more."""
        done = {"state": "done", "accepted": str(time.time_ns()), "tries": "0"}
        await self._write(TURNS, _name(activity), b"", done)
        turn = hashlib.sha256(activity["id"].encode()).hexdigest()[:16]
        state = {"counter": counter, "~turns": [turn]}
        name = f"{activity['channelId']}~2Fconversations~2F{activity['conversation']['id']}"
        await self._write(STATE, name, json.dumps(state).encode(), {})
        await self._put(self._queue, activity)

    async def _stored(self, activity: Activity, state: str, attempts: int, **more: str) -> int:
        """Write an activity's blob; returns when it was accepted, in nanoseconds."""
        accepted_at = time.time_ns()
        content = json.dumps({"claims": self._claims, "activity": activity, **more}).encode()
        metadata = {"state": state, "accepted": str(accepted_at), "tries": str(attempts)}
        await self._write(TURNS, _name(activity), content, metadata)
        return accepted_at

    async def _write(
        self, container: str, name: str, content: bytes, metadata: Mapping[str, str]
    ) -> None:
        blob = self._blobs.get_blob_client(container, name)
        await blob.upload_blob(content, metadata=dict(metadata), overwrite=True)

    async def _put(self, queue: QueueClient, activity: Activity) -> None:
        text = json.dumps({"activity": _name(activity), "again": 0, "seen": 0})
        await queue.send_message(base64.b64encode(text.encode()).decode(), time_to_live=-1)


def _conversation(activity: Activity) -> str:
    return f"{activity['channelId']}~2F{activity['conversation']['id']}"


def _name(activity: Activity) -> str:
    return f"{_conversation(activity)}/{activity['id']}"
