"""The format version of all that is stored: it is written, and another version is refused."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from botbuilder.core.skills import SkillConversationReference
from botbuilder.schema import Activity, ConversationReference

from cloud_adapter.codec import read_model
from cloud_adapter.errors import UnknownFormat
from cloud_adapter.proactive import references, run
from cloud_adapter.proactive.notification import Notification
from cloud_adapter.proactive.references import ConversationReferences, conversation_blob
from cloud_adapter.proactive.run import NotificationReport, report_name
from cloud_adapter.queued.inbox import WAITING, StoredActivity, record
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.state import stored_state
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import LoadedState
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import ANY, BlobContainer
from cloud_adapter.storage.format_version import check_version
from tests.support.bots.queued_turns import CLAIMS, content

REFUSED = "has the format version 2, and this version of the base reads 1: deploy the version that"
RECORD = record("0af9", 17, CLAIMS, content())


@dataclass(frozen=True)
class Stored:
    """A format whose blobs have one name for each conversation, user or notification.

    Attributes:
        container: the container's name.
        name: the blob's.
        write: writes it.
        uses: each reads it, and some would write it, too.
    """

    container: str
    name: str
    write: Callable[[StorageAccount], Awaitable[object]]
    uses: tuple[Callable[[StorageAccount], Awaitable[object]], ...]


def state(account: StorageAccount) -> BlobStorage:
    """The storage of states and skill conversations."""
    return BlobStorage(ConversationLocks(BlobContainer(account, stored_state.CONTAINER)))


async def change_state(account: StorageAccount) -> None:
    """What a turn does."""
    blobs = state(account).blobs
    loaded = LoadedState(await blobs.read("k"))
    loaded.state["x"] = 2
    await loaded.save(blobs, "k", "turn")


async def save_late(account: StorageAccount) -> None:
    """A turn that has loaded the state before another version wrote it."""
    loaded = LoadedState(None)
    loaded.state["x"] = 2
    await loaded.save(state(account).blobs, "k", "turn")


def stored(account: StorageAccount) -> ConversationReferences:
    """The stored conversations and users."""
    return ConversationReferences(BlobContainer(account, references.CONTAINER))


def report(account: StorageAccount) -> NotificationReport:
    """A notification's report."""
    return NotificationReport(BlobContainer(account, run.CONTAINER), "n")


def all_references(account: StorageAccount) -> Awaitable[object]:
    """Lists and reads them."""

    async def listed() -> list[object]:
        return [each async for each in stored(account).conversations()]

    return listed()


IN_TEAMS = read_model(
    Activity,
    {
        "type": "message",
        "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "from": {"id": "29:1"},
        "recipient": {"id": "28:bot"},
        "conversation": {"id": "a:1", "conversationType": "personal"},
    },
)
STORED = {
    "state": Stored(
        stored_state.CONTAINER,
        "k",
        lambda account: state(account).write({"k": {"x": 1}}),
        (lambda account: state(account).read(["k"]), change_state, save_late),
    ),
    "empty state": Stored(
        stored_state.CONTAINER,
        "k",
        lambda account: state(account).blobs.create("k"),
        (change_state,),
    ),
    "skill conversation": Stored(
        stored_state.CONTAINER,
        "k",
        lambda account: state(account).write(
            {"k": SkillConversationReference(ConversationReference(), "x")}
        ),
        (lambda account: state(account).read(["k"]),),
    ),
    "conversation": Stored(
        references.CONTAINER,
        conversation_blob("msteams/a:1"),
        lambda account: stored(account).store(IN_TEAMS),
        (
            lambda account: stored(account).store(IN_TEAMS),
            lambda account: stored(account).find("a:1"),
            all_references,
        ),
    ),
    "user": Stored(
        references.CONTAINER,
        "users/msteams~2F29~3A1",
        lambda account: stored(account).store(IN_TEAMS),
        (
            lambda account: stored(account).store(IN_TEAMS),
            lambda account: stored(account).find("29:1"),
        ),
    ),
    "report": Stored(
        run.CONTAINER,
        report_name("n"),
        lambda account: report(account).finish(),
        (
            lambda account: report(account).load(),
            lambda account: report(account).refuse("why"),
        ),
    ),
}


@pytest.mark.parametrize("kind", STORED)
async def test_a_blob(account: StorageAccount, kind: str) -> None:
    """Version 1 is in it; another version, or none, is refused by all that uses it, and stays."""
    given = STORED[kind]
    blobs = BlobContainer(account, given.container)
    await given.write(account)
    found = await blobs.read(given.name)
    assert found
    for version, refused in (("2", REFUSED), ("", "has no known format version")):
        content, metadata = changed(found.content, dict(found.metadata), version)
        assert (content, metadata) != (found.content, found.metadata)
        await blobs.delete(given.name)
        await blobs.write(given.name, content, ANY, metadata)
        for use in given.uses:
            with pytest.raises(UnknownFormat, match=refused):
                await use(account)
        after = await blobs.read(given.name)
        assert after
        assert (after.content, after.metadata) == (content, metadata)


def changed(content: bytes, metadata: dict[str, str], version: str) -> tuple[bytes, dict[str, str]]:
    """A blob as another version writes it; empty: as something without a version does."""
    if metadata.pop("v", None):
        return content, {**metadata, "v": version} if version else metadata
    if content.startswith(b"["):
        assert content.startswith(b"[1,")
        return (b"[%b,%b" % (version.encode(), content[3:]) if version else content[3:-1]), {}
    data = json.loads(content)
    assert data.pop("v") == 1
    return json.dumps({**data, "v": int(version)} if version else data).encode(), {}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (WakeUp("c", ("a",)).text, WakeUp.parse),
        (WakeUp("c/a").text, WakeUp.parse),
        (
            Notification("n", ("all",), text="x", failed_runs=1).message,
            lambda text: Notification.parse(text, ""),
        ),
        (RECORD.decode(), lambda text: StoredActivity.of_record("c", text.encode()).parse()),
        (
            RECORD.decode(),
            lambda text: StoredActivity.of_blob("c/a", text.encode(), {"state": WAITING}).parse(),
        ),
    ],
    ids=["wake-up", "wake-up of one", "notification", "record", "set aside"],
)
def test_a_text(text: str, read: Callable[[str], object]) -> None:
    """Version 1 is in a queue's message and in a record, and another version is refused."""
    assert json.loads(text)["v"] == 1
    read(text)
    with pytest.raises(UnknownFormat, match=REFUSED):
        read(text.replace('"v": 1', '"v": 2'))


def test_a_notification_without_a_version() -> None:
    """It is a user's own, so it has no properties that are the bot's."""
    assert Notification.parse('{"to": "all", "text": "x"}', "n").to_all
    with pytest.raises(ValueError, match="properties other than"):
        Notification.parse('{"to": "all", "text": "x", "failed": 1}', "n")


@pytest.mark.parametrize(
    "found",
    [None, "", "x", 0, -1, 1.0, True, "9" * 5000, 10**5000, [1], "1 ", "\u0661"],
    ids=lambda found: f"{type(found).__name__}",
)
def test_what_is_no_version(found: object) -> None:
    """It is refused, and not quoted."""
    with pytest.raises(UnknownFormat, match=r"^it has no known format version, and"):
        check_version("it", found)
