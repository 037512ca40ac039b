"""StorageQueue: the operations on a queue that a host needs.

Source: Microsoft's reference of the Queue Service REST API.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from bot_workbench.emulator.functions.errors import StorageError, StorageNotFoundError
from bot_workbench.emulator.functions.storage.service import StorageService


@dataclass
class DequeuedMessage:
    """A message that is hidden from others for a while.

    Attributes:
        id: GUID.
        pop_receipt: what deleting and hiding it need; each time it is hidden it gets a new one.
        dequeue_count: how often it was dequeued.
        inserted_on, expires_on, next_visible_on: times in UTC.
        content: as stored.
    """

    id: str
    pop_receipt: str
    dequeue_count: int
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime
    content: str


class StorageQueue:
    """A queue, which may be missing.

    Each method raises StorageError if the storage is unavailable.

    Args:
        account: the account that it is in.
        name: its name.
    """

    def __init__(self, account: StorageService, name: str) -> None:
        self.name = name
        self._account = account

    async def receive(self, count: int, seconds: int) -> list[DequeuedMessage]:
        """Dequeue up to `count` messages, and hide them for so many seconds.

        Raises:
            StorageNotFoundError: the queue does not exist.
        """
        query = {"numofmessages": count, "visibilitytimeout": seconds}
        answer = await self._account.call("GET", f"{self.name}/messages", query, retries=False)
        try:
            return [_message(element) for element in ET.fromstring(answer.body)]  # noqa: S314
        except (ET.ParseError, ValueError) as error:
            raise StorageError(f"another program answers in its place: {error}") from error

    async def hide(self, message: DequeuedMessage, seconds: int) -> None:
        """Hide a message for so many seconds from now.

        Raises:
            StorageNotFoundError: it is gone, or not this host's any more.
        """
        query = {"popreceipt": message.pop_receipt, "visibilitytimeout": seconds}
        answer = await self._account.call("PUT", f"{self.name}/messages/{message.id}", query)
        receipts = (text for name, text in answer.headers.items() if name.lower() == _RECEIPT)
        message.pop_receipt = next(receipts, message.pop_receipt)

    async def delete(self, message: DequeuedMessage) -> None:
        """Delete a message.

        Raises:
            StorageNotFoundError: it is gone, or not this host's any more.
        """
        query = {"popreceipt": message.pop_receipt}
        await self._account.call("DELETE", f"{self.name}/messages/{message.id}", query)

    async def put(self, content: str) -> None:
        """Put a message into the queue, which is created if it does not exist."""
        text = escape(content)
        body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode()
        try:
            await self._account.call("POST", f"{self.name}/messages", {}, body)
        except StorageNotFoundError:
            await self._account.call("PUT", self.name, {})
            await self._account.call("POST", f"{self.name}/messages", {}, body)


_RECEIPT = "x-ms-popreceipt"


def _message(element: ET.Element) -> DequeuedMessage:
    def text(name: str) -> str:
        return element.findtext(name, "")

    return DequeuedMessage(
        id=text("MessageId"),
        pop_receipt=text("PopReceipt"),
        dequeue_count=int(text("DequeueCount")),
        inserted_on=parsedate_to_datetime(text("InsertionTime")),
        expires_on=parsedate_to_datetime(text("ExpirationTime")),
        next_visible_on=parsedate_to_datetime(text("TimeNextVisible")),
        content=text("MessageText"),
    )
