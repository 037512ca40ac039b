"""FilesBot: files in a personal Teams chat (the manifest needs `supportsFiles`)."""

from typing import Any

import aiohttp
from botbuilder.core import MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Attachment
from botbuilder.schema.teams import FileConsentCardResponse

CONSENT = "application/vnd.microsoft.teams.card.file.consent"
INFO = "application/vnd.microsoft.teams.card.file.info"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"

NAME, CONTENT = "menu.txt", b"Monday: soup. Tuesday: salad.\n"
MAX_BYTES = 1_000_000


class FilesBot(TeamsActivityHandler):
    """Offers a file, and reports the size of files that it gets."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Read the file that the user has sent, or offer the menu."""
        for each in turn_context.activity.attachments or []:
            if each.content_type == DOWNLOAD:
                size = await downloaded_bytes(each.content["downloadUrl"])
                await turn_context.send_activity(f"{each.name} has {size} bytes.")
                return
        consent = {"description": "This week's menu", "sizeInBytes": len(CONTENT)}
        card = Attachment(name=NAME, content_type=CONSENT, content=consent)
        await turn_context.send_activity(MessageFactory.attachment(card))

    async def on_teams_file_consent_accept(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        """Upload the file to the user's OneDrive, and show a link to it."""
        target: Any = file_consent_card_response.upload_info
        last = len(CONTENT) - 1
        headers = {"Content-Range": f"bytes 0-{last}/{len(CONTENT)}"}
        async with aiohttp.ClientSession(trust_env=True) as session:
            await session.put(target.upload_url, data=CONTENT, headers=headers)
        info = {"uniqueId": target.unique_id, "fileType": target.file_type}
        card = Attachment(
            name=target.name, content_type=INFO, content=info, content_url=target.content_url
        )
        await turn_context.send_activity(MessageFactory.attachment(card))

    async def on_teams_file_consent_decline(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        """Acknowledge that the user does not want the file."""
        await turn_context.send_activity("OK, I won't send it.")


async def downloaded_bytes(url: str) -> int:
    """The size of a file in bytes, at most MAX_BYTES.

    Args:
        url: from Teams. It is signed, and valid for a few minutes, so it needs no token.
    """
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as response:
        response.raise_for_status()
        size = 0
        async for part in response.content.iter_any():  # one read has a part of a large file
            size += len(part)
            if size >= MAX_BYTES:
                return MAX_BYTES
        return size
