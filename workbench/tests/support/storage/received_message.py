"""Queue messages as the Functions host has received them."""

from cloud_adapter.storage.queue import ReceivedMessage


def received(text: str, dequeue_count: int = 1, message_id: str = "m1") -> ReceivedMessage:
    """A message with a text; without a pop receipt, since the host deletes it."""
    return ReceivedMessage(message_id, text, dequeue_count, "")
