"""BlobTranscriptStore: what the SDK's TranscriptLoggerMiddleware logs can be read, page by page."""

import datetime
from typing import Any

import pytest
from botbuilder.core import TranscriptLoggerMiddleware, TurnContext
from botbuilder.schema import Activity, ConversationAccount

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.state.transcripts import CONTAINER, PAGE_SIZE, BlobTranscriptStore
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer, MemoryContainer
from tests.support.bots.composed_app import ComposedApp
from tests.support.logic import MESSAGE
from tests.support.storage.storage_front import StorageFront, answered

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)


@pytest.fixture(params=["blobs", "memory"])
def transcripts(request: pytest.FixtureRequest, account: StorageAccount) -> BlobTranscriptStore:
    """An empty store of each kind."""
    in_memory = request.param == "memory"
    return BlobTranscriptStore(
        MemoryContainer() if in_memory else BlobContainer(account, CONTAINER)
    )


def said(number: int, conversation: str = "c", **facts: Any) -> Activity:
    """A message, said so many seconds after noon."""
    return Activity(
        type="message",
        id=f"id {number}",
        text=f"{number}",
        channel_id="msteams",
        conversation=ConversationAccount(id=conversation),
        timestamp=NOON + datetime.timedelta(seconds=number),
        **facts,
    )


async def texts(store: BlobTranscriptStore, conversation: str = "c", **facts: Any) -> list[str]:
    """The content of all pages of a transcript; no page is longer than PAGE_SIZE."""
    found, token = [], None
    while True:
        page = await store.get_transcript_activities("msteams", conversation, token, **facts)
        assert len(page.items) <= PAGE_SIZE
        found += [activity.text for activity in page.items]
        token = page.continuation_token
        if token is None:
            return found


async def test_activities_are_read_as_they_were(transcripts: BlobTranscriptStore) -> None:
    """With all that they contain; those without a time get one."""
    value = {"x": [1, None]}
    await transcripts.log_activity(said(1, value=value, channel_data={"tenant": {"id": "t"}}))
    (activity,) = (await transcripts.get_transcript_activities("msteams", "c")).items
    assert activity == said(1, value=value, channel_data={"tenant": {"id": "t"}})
    reply = said(2)
    reply.timestamp = None
    before = datetime.datetime.now(datetime.UTC)
    await transcripts.log_activity(reply)
    (_, read) = (await transcripts.get_transcript_activities("msteams", "c")).items
    assert before <= read.timestamp <= datetime.datetime.now(datetime.UTC)
    assert reply.timestamp is None


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])
async def test_pages(transcripts: BlobTranscriptStore, count: int) -> None:
    """Each activity is on one page, in the order of their times, whenever they were logged."""
    for number in reversed(range(count)):
        await transcripts.log_activity(said(number))
        await transcripts.log_activity(said(number, "another"))
    expected = [f"{number}" for number in range(count)]
    assert await texts(transcripts) == expected
    assert await texts(transcripts, start_date=NOON + datetime.timedelta(seconds=5)) == expected[5:]
    naive = NOON.replace(tzinfo=None) + datetime.timedelta(seconds=3)
    assert await texts(transcripts, start_date=naive) == expected[3:]
    assert await texts(transcripts, start_date=datetime.datetime.min) == expected  # noqa: DTZ901  # the SDK's default


async def test_an_activity_that_is_logged_again(transcripts: BlobTranscriptStore) -> None:
    """It is stored once: a turn may run again."""
    for _ in range(2):
        await transcripts.log_activity(said(1))
    assert await texts(transcripts) == ["1"]


async def test_conversations(transcripts: BlobTranscriptStore) -> None:
    """All of a channel are listed, page by page, whatever their ids are, with their first times."""
    # The first page ends between `c-d` and `c`, which are listed in this order.
    ids = ["a-b", "a", *(f"a{number:02}" for number in range(PAGE_SIZE - 4)), "a/b", "c-d", "c"]
    ids += ["x" * 500, "😀"]
    for each in ids:
        for number in (2, 1):
            await transcripts.log_activity(said(number, each))
    found: dict[str, datetime.datetime] = {}
    token = None
    while True:
        page = await transcripts.list_transcripts("msteams", token)
        found |= {each.id: each.created for each in page.items}
        assert {each.channel_id for each in page.items} == {"msteams"}
        token = page.continuation_token
        if token is None:
            break
    assert found == dict.fromkeys(ids, NOON + datetime.timedelta(seconds=1))
    assert (await transcripts.list_transcripts("webchat")).items == []


async def test_deleting(transcripts: BlobTranscriptStore) -> None:
    """Other conversations stay, and one that does not exist can be deleted."""
    for each in ("c", "c/d", "cd"):
        await transcripts.log_activity(said(1, each))
    await transcripts.delete_transcript("msteams", "c")
    await transcripts.delete_transcript("msteams", "none")
    assert [await texts(transcripts, each) for each in ("c", "c/d", "cd")] == [[], ["1"], ["1"]]


async def test_the_sdk_s_middleware(app: ComposedApp) -> None:
    """It logs what both sides say, edit and delete."""

    async def bot(turn: TurnContext) -> None:
        sent = await turn.send_activity("one")
        await turn.update_activity(Activity(id=sent.id, type="message", text="two"))
        await turn.delete_activity(sent.id)

    transcripts = app.parts.services.transcripts
    app.parts.adapter.use(TranscriptLoggerMiddleware(transcripts))
    await app.deliver({**MESSAGE, "id": "a1", "timestamp": "2026-01-02T12:00:00Z"}, bot)
    page = await transcripts.get_transcript_activities("webchat", app.conversation.id)
    kinds = [(activity.type, activity.text) for activity in page.items]
    assert kinds == [
        ("message", "sesame"),
        ("message", "one"),
        ("messageUpdate", "two"),
        ("messageDelete", None),
    ]


async def test_storage_that_is_unavailable(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    front: StorageFront,
    far_account: StorageAccount,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The turn does not run again; the gap in the transcript is logged."""
    store = BlobTranscriptStore(BlobContainer(far_account, CONTAINER))
    front.spoil("PUT blob", answered(403))
    async with ComposedApp(cloud, monkeypatch) as app:
        app.parts.adapter.use(TranscriptLoggerMiddleware(store))

        async def bot(turn: TurnContext) -> None:
            await turn.send_activity("one")

        assert (await app.deliver(MESSAGE, bot)).status == 200
        assert app.texts() == ["one"]
    assert "missing from its transcript" in caplog.text
    front.heal()
    assert await texts(store) == []
