"""StorageCall: one request to the storage account; what a turn's calls cost, and their sequence."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

BLOB, QUEUE = "blob", "queue"

WRITE_DOLLARS = 5.0
READ_DOLLARS = 0.4
"""Dollars per million calls: blobs in the hot tier and queues, locally redundant, in East US. The
first price is that of writes and lists; the second that of all other calls, of leases and calls of
queues among them; deletions of blobs are free. Source, November 2026:
https://azure.microsoft.com/pricing/details/storage/blobs/ and .../storage/queues/."""


@dataclass(eq=False)
class StorageCall:
    """One request, as the proxy saw it.

    Attributes:
        service: BLOB or QUEUE.
        method: HTTP method.
        target: path and query.
        started: when the whole request had arrived, on the clock of `time.perf_counter`.
        ended: when the response was passed on; None: it is in progress.
        is_empty: the response to a queue's poll has no message.
    """

    service: str
    method: str
    target: str
    started: float
    ended: float | None = None
    is_empty: bool = False

    @property
    def is_poll(self) -> bool:
        """Whether it asks a queue for messages."""
        path = urlsplit(self.target).path
        return self.service == QUEUE and self.method == "GET" and path.endswith("/messages")

    @property
    def is_delivery(self) -> bool:
        """Whether it has brought a message to the host."""
        return self.is_poll and self.ended is not None and not self.is_empty

    @property
    def price(self) -> float:
        """Dollars per million of such calls."""
        if self.service == QUEUE:
            return READ_DOLLARS
        if self.method == "DELETE":
            return 0.0
        comp = parse_qs(urlsplit(self.target).query).get("comp", [""])[0]
        is_write = self.method == "PUT" and comp != "lease"
        return WRITE_DOLLARS if is_write or comp == "list" else READ_DOLLARS


def counted(calls: Iterable[StorageCall]) -> list[StorageCall]:
    """The calls without the polls that found nothing or still wait."""
    return [call for call in calls if not call.is_poll or call.is_delivery]


def serial_round_trips(calls: Iterable[StorageCall], start: float, end: float) -> int:
    """The longest sequence of calls within a period, each of which started after the last ended.

    Args:
        calls: without the polls that found nothing.
        start, end: the period, on the clock of `time.perf_counter`.
    """
    within = sorted(
        (call.ended, call.started)
        for call in calls
        if call.ended is not None and call.started >= start and call.ended <= end
    )
    length, last = 0, start
    for ended, started in within:
        if started >= last:
            length, last = length + 1, ended
    return length
