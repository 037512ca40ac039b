"""NotificationReport: lines that are written twice, at once, or by an earlier run."""

import asyncio

from cloud_adapter.proactive.references import conversation_blob
from cloud_adapter.proactive.run import (
    BATCH_SIZE,
    CONTAINER,
    NotificationReport,
    Result,
    report_lines,
    report_name,
)
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer

ONE = Result("29:1", "conversations/1", "sent")


async def lines(account: StorageAccount) -> int:
    """Their number."""
    blob = await BlobContainer(account, CONTAINER).read(report_name("n1"))
    return len(report_lines(blob))


async def test_lines_are_written_in_batches(account: StorageAccount) -> None:
    """The last one of a batch writes it; what is left is written when that is asked for."""
    report = NotificationReport(BlobContainer(account, CONTAINER), "n1")
    for number in range(BATCH_SIZE - 1):
        await report.add(Result(f"29:{number}", "", "sent"))
    assert await lines(account) == 0
    await report.add(Result("29:last", "", "sent"))
    assert await lines(account) == BATCH_SIZE
    await report.add(Result("29:one more", "", "failed", "why"))
    await report.finish()
    assert await lines(account) == BATCH_SIZE + 2


async def test_the_summary(account: StorageAccount) -> None:
    """It counts the results, and the conversations reached on each channel, over all runs."""
    blobs = BlobContainer(account, CONTAINER)
    first = NotificationReport(blobs, "n1")
    for number, channel in enumerate(("msteams", "webchat", "msteams")):
        blob = conversation_blob(f"{channel}/a:{number}")
        await first.add(Result(f"{channel}/a:{number}", blob, "sent"))
    await first.write()
    second = NotificationReport(blobs, "n1")
    await second.load()
    await second.add(Result("slack/C1", conversation_blob("slack/C1"), "failed", "why"))
    await second.finish()
    content = await blobs.read(report_name("n1"))
    assert content
    assert report_lines(content)[-1] == {
        "summary": {"sent": 3, "failed": 1},
        "channels": {"msteams": 2, "webchat": 1},
    }


async def test_an_earlier_run(account: StorageAccount) -> None:
    """What it has written is known: recipients, conversations, counts, and the end."""
    blobs = BlobContainer(account, CONTAINER)
    first = NotificationReport(blobs, "n1")
    await first.add(ONE)
    await first.write()
    second = NotificationReport(blobs, "n1")
    await second.load()
    assert second.has("29:1")
    assert second.has_conversation("conversations/1")
    assert not second.claim("conversations/1")
    assert (second.counts, second.finished) == ({"sent": 1}, False)
    await second.finish()
    third = NotificationReport(blobs, "n1")
    await third.load()
    assert third.finished


async def test_a_line_that_was_written_twice(account: StorageAccount) -> None:
    """An answer that was lost makes the SDK write again: the recipient counts once."""
    blobs = BlobContainer(account, CONTAINER)
    report = NotificationReport(blobs, "n1")
    await report.add(ONE)
    await report.write()
    blob = await blobs.read(report_name("n1"))
    assert blob
    await blobs.append(report_name("n1"), blob.content)
    again = NotificationReport(blobs, "n1")
    await again.load()
    assert again.counts == {"sent": 1}


async def test_who_appends_first(account: StorageAccount) -> None:
    """Many that find no blob, nor a container: it is made once, and nothing of it is lost."""
    blobs = BlobContainer(account, CONTAINER)
    await asyncio.gather(*(blobs.append("log", b"line\n", {}) for _ in range(20)))
    blob = await blobs.read("log")
    assert blob
    assert blob.content == b"line\n" * 20
