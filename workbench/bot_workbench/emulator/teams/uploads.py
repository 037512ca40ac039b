"""Uploads: the files of users, and the upload sessions for the files that the bot sends.

Rules: Microsoft references "Send and receive files using a bot", "driveItem: createUploadSession".
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bot_workbench.emulator.channel.conversations import Activity, Attachment, Conversations
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.teams.activities import DOWNLOAD_INFO
from bot_workbench.emulator.teams.directory.body import bad

CONSENT_CARD = "application/vnd.microsoft.teams.card.file.consent"
FILES = "/api/chat/files/"
UPLOADS = "/api/chat/uploads/"

_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")


@dataclass
class UploadSession:
    """A file that the bot may upload, in parts."""

    name: str
    content: bytearray


class Uploads:
    """Stores files.

    Args:
        conversations: the store of uploaded files.
        page_url: returns the base URL of the server with the pages, which serves the files.
    """

    def __init__(self, conversations: Conversations, page_url: Callable[[], str]) -> None:
        self._conversations = conversations
        self._page_url = page_url
        self._sessions: dict[str, UploadSession] = {}

    def attachment(self, file: Attachment) -> dict[str, Any]:
        """A file that a user sends, as an attachment of a message in a personal chat."""
        file_id = self._conversations.store_attachment(file)
        url = f"{self._page_url()}{FILES}{file_id}"
        content = {"downloadUrl": url, **self._described(file_id, file.name)}
        return {
            "contentType": DOWNLOAD_INFO,
            "contentUrl": url,
            "name": file.name,
            "content": content,
        }

    def _described(self, file_id: str, name: str) -> dict[str, str]:
        kind = PurePosixPath(name).suffix.removeprefix(".").lower()
        return {"uniqueId": str(uuid.UUID(file_id)), "fileType": kind, "etag": f"{file_id[:8]},1"}

    def with_upload(self, value: object, message: Activity) -> dict[str, Any]:
        """The value of a `fileConsent/invoke`, with where to upload the file if the user accepts.

        Args:
            value: `action` and `context`.
            message: the one with the consent card, which has the file's name.

        Raises:
            ChannelError: 400, the value is not an object.
        """
        if not isinstance(value, dict):
            raise bad("'value' must be an object.")
        answer = {"type": "fileUpload", **value}
        if answer.get("action") != "accept":
            return answer
        cards = [
            each
            for each in message.get("attachments") or []
            if each.get("contentType") == CONSENT_CARD
        ]
        name = str((cards[0].get("name") if cards else None) or "file")
        file_id = uuid.uuid4().hex
        self._sessions[file_id] = UploadSession(name, bytearray())
        upload = {
            "contentUrl": f"{self._page_url()}{FILES}{file_id}",
            "name": name,
            "uploadUrl": f"{self._page_url()}{UPLOADS}{file_id}",
            **self._described(file_id, name),
        }
        return {**answer, "uploadInfo": upload}

    def receive(self, file_id: str, content: bytes, content_range: str) -> dict[str, Any] | None:
        """Take a part of a file.

        Args:
            file_id: the session's.
            content: the part.
            content_range: the request's `Content-Range`; empty: the part is the file.

        Returns:
            The next range that is expected; None: the file is complete.

        Raises:
            ChannelError: 404, there is no such session; 400 or 416, the range does not fit.
        """
        session = self._sessions.get(file_id)
        if session is None:
            raise ChannelError(404, "itemNotFound", "The upload session is not known.")
        if content_range:
            start, end, size = _range_of(content_range)
            if start != len(session.content) or end - start + 1 != len(content) or end >= size:
                message = "The range is not the next one, or not the length of the body."
                raise ChannelError(416, "invalidRange", message)
            session.content += content
            if end + 1 < size:
                return {"nextExpectedRanges": [f"{end + 1}-{size - 1}"]}
        else:
            session.content = bytearray(content)
        del self._sessions[file_id]
        file = Attachment(session.name, "", {"original": bytes(session.content)})
        self._conversations.attachments[file_id] = file
        return None

    def file(self, file_id: str) -> Attachment:
        """A stored file.

        Args:
            file_id: 32 hex digits, or the same as a GUID.

        Raises:
            ChannelError: 404, there is none of that id.
        """
        found = self._conversations.attachments.get(file_id.replace("-", "").lower())
        if found is None:
            raise ChannelError(404, "itemNotFound", "The file is not known.")
        return found


def _range_of(text: str) -> tuple[int, int, int]:
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise ChannelError(400, "invalidRequest", "The Content-Range is not valid.")
    start, end, size = map(int, found.groups())
    return start, end, size
