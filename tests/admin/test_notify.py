"""The command that has the bot tell something; the bot itself is absent here."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest

from admin import notify
from auth.settings import StorageSource
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from cloud_adapter.proactive.references import conversation_blob
from cloud_adapter.proactive.report import CONTAINER, NotificationReport, Result
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.timing.condition import comes_true

HELLO = ("--to", "all", "--text", "hello")


def run(storage: str, *words: str) -> object:
    """Run the command; returns what it exits with."""
    with pytest.raises(SystemExit) as ending:
        notify.main([*words, "--connection-string", storage])
    return ending.value.code


def queued(storage: str) -> list[object]:
    """What is in the queue."""

    async def look() -> list[object]:
        account = StorageAccount(StorageSource(storage), None)
        found = [json.loads(each.text) async for each in MessageQueue(account, QUEUE).take()]
        await account.close()
        return found

    return asyncio.run(look())


def keep(storage: str, *conversations: str) -> None:
    """Store conversations by name; their content does not matter."""

    async def write() -> None:
        account = StorageAccount(StorageSource(storage), None)
        references = BlobContainer(account, REFERENCES)
        for each in conversations:
            await references.write(conversation_blob(each), b"{}", None)
        await account.close()

    asyncio.run(write())


def report(storage: str, notification_id: str, *results: Result) -> None:
    """Write a report, as the bot does."""

    async def write() -> None:
        account = StorageAccount(StorageSource(storage), None)
        reports = NotificationReport(BlobContainer(account, CONTAINER), notification_id)
        for result in results:
            await reports.add(result)
        await (reports.finish() if results else reports.refuse("it says nothing"))
        await account.close()

    asyncio.run(write())


def test_a_notification_is_sent(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It waits in the queue as the bot reads it, under an id of its own."""
    words = ("--to", "29:1", "--to", "29:2", "--text", "hello", "--no-wait")
    assert run(storage, *words) == 0
    [message] = queued(storage)
    assert isinstance(message, dict)
    notification_id = message.pop("id")
    assert message == {"to": ["29:1", "29:2"], "text": "hello"}
    assert capsys.readouterr().out == f"Notification {notification_id} waits in {QUEUE}.\n"


def test_a_card_from_a_file(storage: str, tmp_path: Path) -> None:
    """The file's JSON is the card."""
    card = {"type": "AdaptiveCard", "version": "1.5", "body": []}
    file = tmp_path / "card.json"
    file.write_text(json.dumps(card))
    assert run(storage, "--to", "all", "--card", str(file), "--no-wait", "--id", "n1") == 0
    assert queued(storage) == [{"to": ["all"], "card": card, "id": "n1"}]


def test_which_channels_all_reaches(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before it sends to "all", the command counts the conversations by channel."""
    keep(storage, "msteams/a:1", "msteams/a:2", "webchat/c", "msteamsx/c")
    assert run(storage, *HELLO, "--no-wait") == 0
    assert capsys.readouterr().out.startswith(
        "It goes to 4 conversations (msteams: 2, msteamsx: 1, webchat: 1).\n"
    )
    assert run(storage, *HELLO, "--no-wait", "--channel", "msteams", "--id", "n1") == 0
    assert capsys.readouterr().out.startswith("It goes to 2 conversations (msteams: 2).\n")
    assert run(storage, *HELLO, "--no-wait", "--channel", "line") == 0
    assert capsys.readouterr().out.startswith("It goes to 0 conversations.\n")
    assert {"to": ["all"], "channel": "msteams", "text": "hello", "id": "n1"} in queued(storage)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--to", "all"), "says nothing"),
        (("--to", "all", "--to", "29:1", "--text", "x"), "beside others"),
        (("--to", "all", "--card", "/nowhere"), "No such file"),
        (("--to", "all", "--card", __file__), "not JSON"),
        (("--to", "all", "--text", "x" * 50_000), "send several"),
        (("--text", "hello"), "required: --to"),
        ((*HELLO, "--channel", "teams"), "invalid choice: 'teams'"),
        ((*HELLO, "--channel", ""), "invalid choice: ''"),
        (("--to", "29:1", "--text", "x", "--channel", "msteams"), 'works with "all" only'),
    ],
)
def test_what_cannot_be_sent(
    storage: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """The mistake is told, and nothing is put into the queue."""
    assert run(storage, *words, "--no-wait") == 2
    assert why in capsys.readouterr().err
    assert queued(storage) == []


def test_the_report_is_shown(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each recipient, and the counts; 0 when everybody got it."""
    sent = Result("29:1", conversation_blob("msteams/a:1"), "sent")
    report(storage, "n1", sent, Result("29:2", "", "repeated", "the same"))
    assert run(storage, *HELLO, "--id", "n1") == 0
    shown = capsys.readouterr().out.splitlines()[2:]
    assert shown == [
        "sent      29:1",
        "repeated  29:2  the same",
        "Done: 1 sent, 1 repeated (msteams: 1)",
    ]


@pytest.mark.parametrize("result", ["uncertain", "unknown", "failed"])
def test_somebody_got_nothing(
    storage: str, capsys: pytest.CaptureFixture[str], result: str
) -> None:
    """The exit status tells a script."""
    report(storage, "n1", Result("29:1", "a", "sent"), Result("29:2", "", result, "the reason"))
    assert run(storage, *HELLO, "--id", "n1") == 1
    assert f"{result:9} 29:2  the reason" in capsys.readouterr().out


def test_the_bot_refuses(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An older bot may know less of a notification than the command."""
    report(storage, "n1")
    assert run(storage, *HELLO, "--id", "n1") == 1
    assert "no notification: it says nothing" in capsys.readouterr().out


def test_no_bot(
    storage: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While there is no report, the reader is asked once whether the bot runs."""
    notification_id = str(uuid4())
    monkeypatch.setattr(notify, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(notify, "LOOKS_IN_SILENCE", 3)

    async def end() -> None:
        account = StorageAccount(StorageSource(storage), None)
        reports = BlobContainer(account, CONTAINER)

        async def read() -> list[object]:
            return [line async for line in notify.lines(reports, notification_id)]

        reading = asyncio.create_task(read())
        await comes_true(lambda: "Does the bot run" in capsys.readouterr().err)
        await NotificationReport(reports, notification_id).finish()
        assert await reading == [{"summary": {}, "channels": {}}]
        await account.close()

    asyncio.run(end())


def test_no_storage(capsys: pytest.CaptureFixture[str]) -> None:
    """An account that does not answer is told in one line."""
    gone = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=Yg==;"
    gone += "QueueEndpoint=http://127.0.0.1:9/a;BlobEndpoint=http://127.0.0.1:9/a"
    code = run(gone, *HELLO)
    assert "does not answer" in str(code)
    assert capsys.readouterr().out == ""
