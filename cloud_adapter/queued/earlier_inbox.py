"""What an earlier version stored of a conversation: it is run first, and removed.

It had a blob for each activity, which is that of a set-aside activity today, and an empty blob, the
marker, while the activity waited:

    CONVERSATION/ACTIVITY                     the activity; empty once it was processed
    waiting/CONVERSATION/ACCEPTED/ACTIVITY    its marker

Markers are listed in the order in which the activities were accepted.
"""

from collections.abc import Callable
from typing import Any

from cloud_adapter.queued.attempts import Attempts
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import name_part


def earlier_name(activity: Any) -> str:
    """The name that an earlier version gave to an Activity's conversation."""
    return name_part(f"{activity.channel_id}/{activity.conversation.id}")


async def drain_earlier(
    blobs: BlobContainer, conversation: str, attempts: Attempts, goes_on: Callable[[], bool]
) -> bool:
    """Run the turns of the activities that wait in an earlier version's form.

    Args:
        blobs: the container.
        conversation: see `earlier_name`. The caller has locked it.
        attempts: runs the turns.
        goes_on: whether another turn may start.

    Returns:
        False: some activities still wait.

    Raises:
        Unavailable: a turn cannot run now.
    """
    entries = blobs.list(f"waiting/{conversation}/")
    for marker in [entry.name async for entry in entries]:
        if not goes_on():
            return False
        await attempts.run_set_aside(f"{conversation}/{marker.rpartition('/')[2]}")
        await blobs.delete(marker)
    return True
