"""FileRoutes: files that users send, and files that the bot uploads."""

import json
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from bot_workbench.emulator.channel.conversations import Activity, Attachment, Conversations
from bot_workbench.emulator.channel.direct_line import SANDBOX
from bot_workbench.emulator.channel.errors import ChannelError, checked_activity
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.teams.api.conversation_routes import member_of
from bot_workbench.emulator.teams.api.message_routes import MessageRoutes
from bot_workbench.emulator.teams.directory.body import bad, item, items, message_content
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory
from bot_workbench.emulator.teams.uploads import Uploads

BINARY = "application/octet-stream"


@dataclass
class UploadForm:
    """The fields and files of a form."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[Attachment] = field(default_factory=list)


class FileRoutes:
    """Uploads and downloads.

    Args:
        directory: who is there.
        messages: sends the message with a user's files.
        uploads: the files.
        conversations: has the attachments of the Bot Connector.
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
    """

    def __init__(
        self,
        directory: TeamsDirectory,
        messages: MessageRoutes,
        uploads: Uploads,
        conversations: Conversations,
        connector_url: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._messages = messages
        self._uploads = uploads
        self._conversations = conversations
        self._connector_url = connector_url

    def table(self) -> dict[tuple[str, str], Handler]:
        """The handlers by HTTP method and path below /api/chat."""
        return {
            ("POST", "/conversations/{conversation}/files"): self._send,
            ("PUT", "/uploads/{file}"): self._receive,
            ("GET", "/files/{file}"): self._file,
            ("GET", "/attachments/{file}/views/{view}"): self._view,
        }

    async def _send(self, request: web.Request) -> web.Response:
        chat = self._directory.conversation(request.match_info["conversation"])
        form = await form_of(request)
        person = member_of(chat, self._directory.person(form.fields.get("user")))
        if not form.files:
            raise bad("The form has no files.")
        content = message_in(form)
        files = map(self._attachment, form.files)
        content["attachments"] = [*files, *items(content, "attachments")]
        return web.json_response(self._messages.send(chat, person, content, form.fields))

    def _attachment(self, file: Attachment) -> dict[str, object]:
        if not file.content_type.startswith("image/"):
            return self._uploads.attachment(file)
        # Pictures are part of the message: the bot gets them with its token.
        file_id = self._conversations.store_attachment(file)
        url = f"{self._connector_url()}/v3/attachments/{file_id}/views/original"
        return {"contentType": "image/*", "contentUrl": url, "name": file.name}

    async def _receive(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            # As OneDrive refuses it: the URL is the permission.
            raise ChannelError(401, "unauthenticated", "Send no Authorization header to this URL.")
        file_id = request.match_info["file"]
        # Not `request.read()`, which has the limit of the server's other requests.
        content = await request.content.read()
        expected = self._uploads.receive(file_id, content, request.headers.get("Content-Range", ""))
        if expected is not None:
            return web.json_response(expected, status=202)
        file = self._uploads.file(file_id)
        size = len(file.views["original"])
        return web.json_response({"id": file_id, "name": file.name, "size": size}, status=201)

    async def _file(self, request: web.Request) -> web.Response:
        return _response(self._uploads.file(request.match_info["file"]), "original")

    async def _view(self, request: web.Request) -> web.Response:
        file = self._uploads.file(request.match_info["file"])
        return _response(file, request.match_info["view"])


def message_in(form: UploadForm) -> Activity:
    """The message that has the form's files: `activity`, JSON; without it, one without a text.

    Raises:
        ChannelError: 400, it is something else.
    """
    try:
        activity = json.loads(form.fields.get("activity") or "{}")
    except ValueError:
        raise bad("'activity' is not JSON.") from None
    given = item({"activity": activity}, "activity")
    return message_content(checked_activity({**given, "type": "message"}))


async def form_of(request: web.Request) -> UploadForm:
    """The fields and files of a `multipart/form-data` request.

    Raises:
        ChannelError: 400, the body is something else.
    """
    if not request.content_type.startswith("multipart/"):
        raise ChannelError(400, "BadSyntax", "The body is not multipart.")
    form = UploadForm()
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ChannelError(400, "BadSyntax", "Multipart inside multipart.")
            content = bytes(await part.read(decode=True))
            if part.filename is None:
                form.fields[part.name or ""] = content.decode("utf-8", "replace")
            else:
                kind = part.headers.get("Content-Type", BINARY).partition(";")[0]
                form.files.append(Attachment(part.filename, kind, {"original": content}))
    except ValueError:
        raise ChannelError(400, "BadSyntax", "The multipart body is malformed.") from None
    return form


def _response(file: Attachment, view: str) -> web.Response:
    content = file.views.get(view)
    if content is None:
        raise ChannelError(404, "ViewNotFound", "The attachment has no such view.")
    kind = file.content_type or mimetypes.guess_type(file.name)[0] or BINARY
    name = quote(file.name, safe="")
    disposition = f"inline; filename*=UTF-8''{name}"
    headers = {"Content-Type": kind, "Content-Disposition": disposition, **SANDBOX}
    return web.Response(body=content, headers=headers)
