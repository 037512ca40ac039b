"""BlobTranscriptStore: the transcripts of conversations, one blob for each activity.

CHANNEL/CONVERSATION/TIME-ACTIVITY    an activity's JSON; TIME is in microseconds
"""

import asyncio
import datetime
import json
import logging
from collections.abc import Sequence
from typing import Any

from botbuilder.core.transcript_logger import PagedResult, TranscriptInfo, TranscriptStore
from botbuilder.schema import Activity

from cloud_adapter.codec import json_bytes, read_model, write_value
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.storage.blobs import ANY, Container, name_part

CONTAINER = "bot-transcripts"

PAGE_SIZE = 20
"""The number of activities or conversations in a page; the same as in the SDK's stores."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)

log = logging.getLogger(__name__)


class BlobTranscriptStore(TranscriptStore):  # type: ignore[misc]  # untyped SDK base
    """botbuilder's TranscriptStore, for its TranscriptLoggerMiddleware.

    Methods that read raise StorageUnavailable if the account does not answer, or refuses access.

    Args:
        blobs: the container.
    """

    def __init__(self, blobs: Container) -> None:
        self._blobs = blobs

    async def log_activity(self, activity: Activity) -> None:
        """Store an activity. If it is logged again, it is still stored once.

        If storage is unavailable, this logs a warning instead of raising: for a transcript, the
        turn must not run again and send its replies twice.
        """
        time = _utc(activity.timestamp or datetime.datetime.now(datetime.UTC))
        folder = _folder(activity.channel_id, activity.conversation.id)
        content = {"timestamp": time.isoformat(), **write_value(activity)}
        name = f"{folder}{_sortable(time)}-{name_part(activity.id or '')}"
        try:
            await self._blobs.write(name, json_bytes(content), ANY)
        except StorageUnavailable as error:
            log.warning("An activity is missing from its transcript: %s", error)

    async def get_transcript_activities(
        self,
        channel_id: str,
        conversation_id: str,
        continuation_token: str | None = None,
        start_date: datetime.datetime = _EPOCH,
    ) -> PagedResult:
        """A page of a conversation's activities, oldest first.

        Args:
            channel_id: the channel.
            conversation_id: the conversation.
            continuation_token: the previous page's; None: the first page.
            start_date: the earliest time of activities; UTC if it has no time zone.
        """
        folder = _folder(channel_id, conversation_id)
        start, last_seen = f"{folder}{_sortable(_utc(start_date))}", f"{folder}{continuation_token}"
        names = []
        async for entry in self._blobs.list(folder):
            if entry.name >= start and (continuation_token is None or entry.name > last_seen):
                names.append(entry.name)
            if len(names) > PAGE_SIZE:
                break
        page, names = _page(names)
        if page.continuation_token:
            page.continuation_token = page.continuation_token.removeprefix(folder)
        page.items = await self._activities(names)
        return page

    async def list_transcripts(
        self, channel_id: str, continuation_token: str | None = None
    ) -> PagedResult:
        """A page of a channel's conversations, in no particular order.

        This lists the names of all of the channel's blobs, with one request for each 5,000.

        Args:
            channel_id: the channel.
            continuation_token: the previous page's; None: the first page.
        """
        firsts: dict[str, str] = {}
        async for entry in self._blobs.list(f"{name_part(channel_id)}/"):
            # With its slash, a folder sorts as the names in it do.
            folder = f"{entry.name.rpartition('/')[0]}/"
            if folder > (continuation_token or ""):
                firsts.setdefault(folder, entry.name)
        page, folders = _page(list(firsts))
        page.items = [
            TranscriptInfo(channel_id, each.timestamp, each.conversation.id)
            for each in await self._activities([firsts[folder] for folder in folders])
        ]
        return page

    async def delete_transcript(self, channel_id: str, conversation_id: str) -> None:
        """Delete a conversation's transcript."""
        entries = self._blobs.list(_folder(channel_id, conversation_id))
        await self._blobs.delete_many([entry.name async for entry in entries])

    async def _activities(self, names: Sequence[str]) -> list[Any]:
        blobs = await asyncio.gather(*(self._blobs.read(name) for name in names))
        return [read_model(Activity, json.loads(blob.content)) for blob in blobs if blob]


def _page(items: list[str]) -> tuple[PagedResult, list[str]]:
    """An empty page, and its items; if more items follow, its token is the last of these items."""
    page, these = PagedResult(), items[:PAGE_SIZE]
    page.continuation_token = these[-1] if len(items) > PAGE_SIZE else None
    return page, these


def _folder(channel_id: str, conversation_id: str) -> str:
    return f"{name_part(channel_id)}/{name_part(conversation_id)}/"


def _sortable(time: datetime.datetime) -> str:
    return f"{max((time - _EPOCH) // _MICROSECOND, 0):017}"


def _utc(time: datetime.datetime) -> datetime.datetime:
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
