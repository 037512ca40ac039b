"""QueueService: queues in memory."""

import itertools
import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from benchmarks.state.storage.in_memory.message import (
    ServiceError,
    ServiceRequest,
    ServiceResponse,
)

_TEXT = re.compile(rb"<MessageText>(.*?)</MessageText>", re.DOTALL)
_NUMBERS = itertools.count(1)
_XML = {"Content-Type": "application/xml"}


@dataclass
class InMemoryMessage:
    """A message in a queue in memory.

    Attributes:
        id: GUID.
        text: still escaped for XML.
        visible: when it can be received, on the clock of `time.time`.
        receipt: what its last receiver deletes it by.
        dequeued: how often it was received.
    """

    id: str
    text: str
    inserted: float
    visible: float
    receipt: str = ""
    dequeued: int = 0

    def hide(self, seconds: float) -> None:
        """Hide it from receivers, and change its receipt."""
        self.visible = time.time() + seconds
        self.receipt = f"receipt{next(_NUMBERS)}"

    def xml(self, *, received: bool) -> str:
        """Its element of a response."""
        lines = {
            "MessageId": self.id,
            "InsertionTime": formatdate(self.inserted, usegmt=True),
            "ExpirationTime": formatdate(self.inserted + 604_800, usegmt=True),
            "PopReceipt": self.receipt,
            "TimeNextVisible": formatdate(self.visible, usegmt=True),
        }
        if received:
            lines |= {"DequeueCount": f"{self.dequeued}", "MessageText": self.text}
        inner = "".join(f"<{name}>{text}</{name}>" for name, text in lines.items())
        return f"<QueueMessage>{inner}</QueueMessage>"


class QueueService:
    """The account's queues."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[str, InMemoryMessage]] = {}

    def handle(self, request: ServiceRequest) -> ServiceResponse:
        """Handle a request.

        Raises:
            ServiceError: it is refused.
        """
        name, *rest = request.path
        if not rest:
            return self._handle_queue(name, request)
        messages = self._messages(name)
        if len(rest) > 1:
            return self._handle_message(messages, rest[1], request)
        if request.method == "POST":
            return self._put(messages, request)
        if request.method == "GET":
            return self._receive(messages, request)
        messages.clear()
        return ServiceResponse(HTTPStatus.NO_CONTENT)

    def _messages(self, queue: str) -> dict[str, InMemoryMessage]:
        try:
            return self._queues[queue]
        except KeyError:
            raise ServiceError(HTTPStatus.NOT_FOUND, "QueueNotFound") from None

    def _handle_queue(self, name: str, request: ServiceRequest) -> ServiceResponse:
        if request.method == "GET":
            count = {"x-ms-approximate-messages-count": f"{len(self._messages(name))}"}
            return ServiceResponse(HTTPStatus.OK, count)
        is_new = name not in self._queues
        self._queues.setdefault(name, {})
        return ServiceResponse(HTTPStatus.CREATED if is_new else HTTPStatus.NO_CONTENT)

    @staticmethod
    def _put(messages: dict[str, InMemoryMessage], request: ServiceRequest) -> ServiceResponse:
        match = _TEXT.search(request.body)
        if match is None:
            raise ServiceError(HTTPStatus.BAD_REQUEST, "InvalidXmlDocument")
        now = time.time()
        message = InMemoryMessage(
            f"00000000-0000-0000-0000-{next(_NUMBERS):012}", match[1].decode(), now, now
        )
        message.hide(int(request.query.get("visibilitytimeout", "0")))
        messages[message.id] = message
        return ServiceResponse(HTTPStatus.CREATED, _XML, _list(message.xml(received=False)))

    @staticmethod
    def _receive(messages: dict[str, InMemoryMessage], request: ServiceRequest) -> ServiceResponse:
        now = time.time()
        visible = (message for message in messages.values() if message.visible <= now)
        parts = []
        for message in itertools.islice(visible, int(request.query.get("numofmessages", "1"))):
            message.hide(int(request.query.get("visibilitytimeout", "30")))
            message.dequeued += 1
            parts.append(message.xml(received=True))
        return ServiceResponse(HTTPStatus.OK, _XML, _list(*parts))

    @staticmethod
    def _handle_message(
        messages: dict[str, InMemoryMessage], message_id: str, request: ServiceRequest
    ) -> ServiceResponse:
        message = messages.get(message_id)
        if message is None:
            raise ServiceError(HTTPStatus.NOT_FOUND, "MessageNotFound")
        if request.query.get("popreceipt") != message.receipt:
            raise ServiceError(HTTPStatus.BAD_REQUEST, "PopReceiptMismatch")
        if request.method == "DELETE":
            del messages[message_id]
            return ServiceResponse(HTTPStatus.NO_CONTENT)
        match = _TEXT.search(request.body)
        if match is not None:
            message.text = match[1].decode()
        message.hide(int(request.query["visibilitytimeout"]))
        headers = {
            "x-ms-popreceipt": message.receipt,
            "x-ms-time-next-visible": formatdate(message.visible, usegmt=True),
        }
        return ServiceResponse(HTTPStatus.NO_CONTENT, headers)


def _list(*messages: str) -> bytes:
    inner = "".join(messages)
    return f'<?xml version="1.0"?><QueueMessagesList>{inner}</QueueMessagesList>'.encode()
