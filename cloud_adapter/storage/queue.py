"""MessageQueue: a queue of the bot's storage account, in the encoding of the Functions host."""

import base64
from collections.abc import AsyncIterator
from typing import NamedTuple

from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.rest import StorageRequest, error_code, header, parse_xml

MAX_MESSAGE_BYTES = 48 * 1024
"""Of UTF-8: base64 makes 64 KiB of them, the most that a queue takes."""

VISIBILITY_TIMEOUT_SECONDS = 60
"""How long a received message is invisible to others."""

_MISSING = frozenset({"QueueNotFound"})
_LOST = frozenset({"MessageNotFound", "PopReceiptMismatch"})


class ReceivedMessage(NamedTuple):
    """A message that is invisible to others for a while.

    Attributes:
        id: GUID.
        text: the message.
        dequeue_count: how often it was received, this time included.
        receipt: its pop receipt, which hiding and deleting it need.
    """

    id: str
    text: str
    dequeue_count: int
    receipt: str


class MessageQueue:
    """A queue, which is created when the first message is put into it.

    Each method raises StorageUnavailable when the account does not answer, or refuses access.

    Args:
        account: the bot's storage account.
        name: the queue's name.
    """

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self._name = name
        self._messages = f"{name}/messages"

    async def put(self, text: str, delay: float = 0.0) -> None:
        """Put a message into the queue. It never expires.

        Args:
            text: at most MAX_MESSAGE_BYTES of UTF-8; other bytes as `surrogateescape` has them.
            delay: seconds until it becomes visible.

        Raises:
            ValueError: the message is too large.
        """
        data = text.encode(errors="surrogateescape")
        if len(data) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message may have at most {MAX_MESSAGE_BYTES} bytes")
        content = base64.b64encode(data)  # as host.json's messageEncoding says
        body = b"<QueueMessage><MessageText>%b</MessageText></QueueMessage>" % content
        query = {"messagettl": "-1", "visibilitytimeout": str(round(delay))}
        request = StorageRequest("queue", "POST", self._messages, query, body=body)
        if error_code(await self._account.call(request, _MISSING)):
            await self._account.call(StorageRequest("queue", "PUT", self._name))
            await self._account.call(request)

    async def receive_all(self) -> AsyncIterator[ReceivedMessage]:
        """Receive every visible message. Each is invisible to others for a minute."""
        query = {"numofmessages": "32", "visibilitytimeout": str(VISIBILITY_TIMEOUT_SECONDS)}
        request = StorageRequest("queue", "GET", self._messages, query)
        while True:
            response = await self._account.call(request, _MISSING)
            messages = () if error_code(response) else parse_xml(response).findall("QueueMessage")
            if not messages:
                return
            for message in messages:
                yield ReceivedMessage(
                    message.findtext("MessageId", ""),
                    _decoded(message.findtext("MessageText", "")),
                    int(message.findtext("DequeueCount", "1")),
                    message.findtext("PopReceipt", ""),
                )

    async def hide(self, message: ReceivedMessage, seconds: int) -> ReceivedMessage | None:
        """Hide a received message from now on for so many seconds; 0: others can receive it.

        Returns:
            The message with its new receipt; None: it is gone, or others have received it.
        """
        query = {"popreceipt": message.receipt, "visibilitytimeout": str(seconds)}
        request = StorageRequest("queue", "PUT", self._path(message), query)
        response = await self._account.call(request, _LOST)
        if error_code(response):
            return None
        return message._replace(receipt=header(response, "x-ms-popreceipt"))

    async def delete(self, message: ReceivedMessage) -> None:
        """Delete a received message, unless it is gone, or others have received it."""
        query = {"popreceipt": message.receipt}
        await self._account.call(
            StorageRequest("queue", "DELETE", self._path(message), query), _LOST
        )

    def _path(self, message: ReceivedMessage) -> str:
        return f"{self._messages}/{message.id}"


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content  # put in by somebody else, without the host's encoding
