"""TracedMessageQueue: counts dead letters. What is put into other queues has spans elsewhere."""

from cloud_adapter.storage.queue import MessageQueue
from cloud_adapter.telemetry.metrics import bot_metrics

POISON_SUFFIX = "-poison"
"""The host's ending of the names of queues with dead letters."""


class TracedMessageQueue(MessageQueue):
    """See the base class."""

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue. It never expires."""
        await super().put(text, delay)
        if self._name.endswith(POISON_SUFFIX):
            bot_metrics().dead_lettered(self._name)
