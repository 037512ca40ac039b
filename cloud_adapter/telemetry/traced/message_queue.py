"""TracedMessageQueue: counts dead letters. What is put into other queues has spans elsewhere."""

from cloud_adapter.storage.queue import MessageQueue
from cloud_adapter.telemetry.metrics import bot_metrics


class TracedMessageQueue(MessageQueue):
    """A queue of dead letters; see the base class."""

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue. It never expires."""
        await super().put(text, delay)
        bot_metrics().dead_lettered(self._name)
