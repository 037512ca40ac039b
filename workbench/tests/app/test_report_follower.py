"""ReportFollower: a report that grows, and one that does not exist yet."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from auth.settings import StorageSource
from bot_workbench.app.report_follower import ReportFollower
from cloud_adapter.proactive.run import CONTAINER, NotificationReport, Result
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from http_client.pool import HttpPool
from tests.support.timing.condition import comes_true


@pytest.fixture
async def reports(storage: str) -> AsyncIterator[BlobContainer]:
    """The container of the reports."""
    account = StorageAccount(StorageSource(storage), HttpPool())
    yield BlobContainer(account, CONTAINER)
    await account.close()


async def test_a_report_that_grows(reports: BlobContainer) -> None:
    """Each line comes once, as soon as it is written; with the summary the report ends."""
    found: list[dict[str, object]] = []

    async def follow() -> None:
        async for line in follower.lines():
            found.append(line)  # noqa: PERF401  # the test looks at it while it grows

    follower = ReportFollower(reports, "n1", lambda: None, poll_seconds=0.01)
    following = asyncio.create_task(follow())
    report = NotificationReport(reports, "n1")
    for number in (1, 2):
        await report.add(Result(f"29:{number}", "", "sent"))
        await report.write()
        await comes_true(lambda: len(found) == number)  # noqa: B023  # awaited at once
    await report.finish()
    await following
    assert [line.get("recipient", "summary") for line in found] == ["29:1", "29:2", "summary"]


async def test_no_report(reports: BlobContainer) -> None:
    """While there is no report, the caller is notified once."""
    notified: list[None] = []
    follower = ReportFollower(
        reports, "n1", lambda: notified.append(None), poll_seconds=0.01, max_silent_polls=3
    )

    async def follow() -> list[dict[str, object]]:
        return [line async for line in follower.lines()]

    following = asyncio.create_task(follow())
    await comes_true(lambda: bool(notified))
    await NotificationReport(reports, "n1").finish()
    assert await following == [{"summary": {}, "channels": {}}]
    assert len(notified) == 1
