"""ReportFollower: reads a notification's report while the bot writes it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from cloud_adapter.proactive.run import report_lines, report_name
from cloud_adapter.storage.blobs import BlobContainer

LONG_REPORT = 2000
"""Lines. Each poll reads the whole report, so a report of this length is polled half as often."""


class ReportFollower:
    """Follows one report to its last line.

    Args:
        reports: the container of the reports.
        notification_id: the notification's id.
        no_report_yet: called once, when there is still no report after `max_silent_polls`.
        poll_seconds: seconds between two polls of a short report.
        max_silent_polls: polls without a report until then.
    """

    def __init__(
        self,
        reports: BlobContainer,
        notification_id: str,
        no_report_yet: Callable[[], None],
        poll_seconds: float = 0.5,
        max_silent_polls: int = 20,
    ) -> None:
        self._reports = reports
        self._name = report_name(notification_id)
        self._no_report_yet = no_report_yet
        self._poll_seconds = poll_seconds
        self._max_silent_polls = max_silent_polls

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """Each line once, as it is written; the last one has a `summary` or an `error`.

        Raises:
            StorageUnavailable: the report cannot be read.
        """
        seen = polls = 0
        while True:
            blob = await self._reports.read(self._name)
            found = report_lines(blob)
            for line in found[seen:]:
                yield line
                if "summary" in line or "error" in line:
                    return
            seen = len(found)
            polls += 1
            if polls == self._max_silent_polls and not seen:
                self._no_report_yet()
            await asyncio.sleep(self._poll_seconds * (1 + seen / LONG_REPORT))
