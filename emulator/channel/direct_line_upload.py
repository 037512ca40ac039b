"""Uploads: the multipart request by which Direct Line clients send a message with files."""

from aiohttp import BodyPartReader, MultipartReader, web

from emulator.channel.conversations import Activity, Attachment, Conversations
from emulator.channel.errors import ChannelError, checked_activity, parsed_object

ACTIVITY = "application/vnd.microsoft.activity"


async def uploaded_message(
    request: web.Request, conversations: Conversations, files_url: str
) -> Activity:
    """The message that an upload carries, its attachments pointing to the kept files.

    Args:
        request: `multipart/form-data`; at most one part is the activity, the others are files.
        conversations: where the files are kept.
        files_url: the URL under which they are served, with a slash at the end.

    Raises:
        ChannelError: 400, it is no multipart request, or its activity is none.
    """
    if not request.content_type.startswith("multipart/"):
        raise ChannelError(400, "BadSyntax", "The body is not multipart.")
    try:
        return await _read(await request.multipart(), conversations, files_url)
    except ValueError:
        raise ChannelError(400, "BadSyntax", "The multipart body is broken.") from None


async def _read(parts: MultipartReader, conversations: Conversations, files_url: str) -> Activity:
    message: Activity = {"type": "message"}
    attachments = []
    async for part in parts:
        if not isinstance(part, BodyPartReader):
            raise ChannelError(400, "BadSyntax", "Multipart inside multipart.")
        kind = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0]
        content = bytes(await part.read(decode=True))
        if kind == ACTIVITY:
            message = checked_activity(parsed_object(content))
            continue
        file = Attachment(part.filename or "file", kind, {"original": content})
        url = f"{files_url}{conversations.keep_attachment(file)}/views/original"
        attachments.append({"contentType": kind, "contentUrl": url, "name": file.name})
    return {**message, "attachments": attachments}
