"""`bot notify`; the bot itself is absent here, and its reports are written by hand."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app.command_line import main
from cloud_adapter.proactive.notifications import QUEUE
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from cloud_adapter.proactive.references import conversation_blob
from cloud_adapter.proactive.run import CONTAINER, NotificationReport, Result
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.storage.account_work import in_account

HELLO = ("--to", "all", "--text", "hello")


@pytest.fixture(autouse=True)
def _wide_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are not wrapped."""
    monkeypatch.setenv("COLUMNS", "300")


def run(storage: str, *words: str) -> object:
    """Run the command; returns its exit status."""
    with pytest.raises(SystemExit) as ending:
        main(["notify", *words, "--connection-string", storage])
    return ending.value.code


def queued(storage: str) -> list[object]:
    """The messages in the queue."""

    async def take(account: StorageAccount) -> list[object]:
        return [json.loads(each.text) async for each in MessageQueue(account, QUEUE).receive_all()]

    return in_account(storage, take)


def store_conversations(storage: str, *conversations: str) -> None:
    """Store conversations by name; their content does not matter."""

    async def write(account: StorageAccount) -> None:
        references = BlobContainer(account, REFERENCES)
        for each in conversations:
            await references.write(conversation_blob(each), b"{}", None)

    in_account(storage, write)


def write_report(storage: str, *results: Result) -> None:
    """Write the report of the notification n1, as the bot does."""

    async def write(account: StorageAccount) -> None:
        report = NotificationReport(BlobContainer(account, CONTAINER), "n1")
        for result in results:
            await report.add(result)
        await (report.finish() if results else report.refuse("it says nothing"))

    in_account(storage, write)


def test_a_notification_is_enqueued(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the queue as the bot reads it, under an id of its own."""
    words = ("--to", "29:1", "--to", "29:2", "--text", "hello", "--no-wait")
    assert run(storage, *words) == ExitStatus.DONE
    [message] = queued(storage)
    assert isinstance(message, dict)
    notification_id = message.pop("id")
    assert message == {"v": 1, "to": ["29:1", "29:2"], "text": "hello"}
    assert capsys.readouterr().out == f"Notification {notification_id} is in the queue {QUEUE}.\n"


def test_a_card_from_a_file(storage: str, tmp_path: Path) -> None:
    """The file's JSON is the card."""
    card = {"type": "AdaptiveCard", "version": "1.5", "body": []}
    file = tmp_path / "card.json"
    file.write_text(json.dumps(card))
    assert run(storage, "--to", "all", "--card", str(file), "--no-wait", "--id", "n1") == 0
    assert queued(storage) == [{"v": 1, "to": ["all"], "card": card, "id": "n1"}]


def test_conversations_that_all_means(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With "all", the command counts the conversations by channel."""
    store_conversations(storage, "msteams/a:1", "msteams/a:2", "webchat/c", "msteamsx/c")
    assert run(storage, *HELLO, "--no-wait") == 0
    assert capsys.readouterr().out.startswith(
        "It goes to 4 conversations (msteams: 2, msteamsx: 1, webchat: 1).\n"
    )
    assert run(storage, *HELLO, "--no-wait", "--channel", "msteams", "--id", "n1") == 0
    assert capsys.readouterr().out.startswith("It goes to 2 conversations (msteams: 2).\n")
    assert run(storage, *HELLO, "--no-wait", "--channel", "line") == 0
    assert capsys.readouterr().out.startswith("It goes to 0 conversations.\n")
    assert {"v": 1, "to": ["all"], "channel": "msteams", "text": "hello", "id": "n1"} in queued(
        storage
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--to", "all"), "is empty"),
        (("--to", "all", "--to", "29:1", "--text", "x"), "with other recipients"),
        (("--to", "all", "--card", "/nowhere"), "No such file"),
        (("--to", "all", "--card", __file__), "not JSON"),
        (("--to", "all", "--text", "x" * 50_000), "shorten it"),
        (("--text", "hello"), "Missing option '--to'"),
        ((*HELLO, "--channel", "teams"), "unknown channel 'teams': use one of"),
        ((*HELLO, "--channel", ""), "unknown channel ''"),
        (("--to", "29:1", "--text", "x", "--channel", "msteams"), 'works with "all" only'),
    ],
)
def test_mistakes_on_the_command_line(
    storage: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    """The message says what is wrong, and nothing is put into the queue."""
    assert run(storage, *words, "--no-wait") == ExitStatus.USAGE
    assert why in capsys.readouterr().err
    assert queued(storage) == []


def test_the_report_as_text(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each recipient, and the counts; 0 when everybody got it."""
    sent = Result("29:1", conversation_blob("msteams/a:1"), "sent")
    write_report(storage, sent, Result("29:2", "", "repeated", "the same"))
    assert run(storage, *HELLO, "--id", "n1") == ExitStatus.DONE
    assert capsys.readouterr().out.splitlines()[2:] == [
        "sent      29:1",
        "repeated  29:2  the same",
        "Done: 1 sent, 1 repeated (msteams: 1)",
    ]


def test_the_report_as_json(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON lines: the notification and how many it goes to, then the report as it is stored."""
    store_conversations(storage, "msteams/a:1", "webchat/c")
    sent = Result("msteams/a:1", conversation_blob("msteams/a:1"), "sent")
    write_report(storage, sent)
    assert run(storage, *HELLO, "--id", "n1", "--json") == ExitStatus.DONE
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"notification": "n1", "recipients": 2, "channels": {"msteams": 1, "webchat": 1}},
        sent._asdict(),
        {"summary": {"sent": 1}, "channels": {"msteams": 1}},
    ]
    assert run(storage, "--to", "29:1", "--text", "x", "--json", "--no-wait", "--id", "n2") == 0
    only = {"notification": "n2", "recipients": 1, "channels": {}}
    assert json.loads(capsys.readouterr().out) == only


def test_the_report_on_a_terminal(
    storage: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A progress bar; a line only for who did not get it; a table of the counts."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    sent = Result("29:1", conversation_blob("msteams/a:1"), "sent")
    write_report(storage, sent, Result("29:2", "", "failed", "[it] is gone"))
    words = ("--to", "29:1", "--to", "29:2", "--text", "hello", "--id", "n1")
    assert run(storage, *words) == ExitStatus.FOUND
    shown = capsys.readouterr().out
    assert "2/2" in shown
    assert "failed    29:2  [it] is gone" in shown
    assert "sent      29:1" not in shown
    assert re.search("sent +1 +msteams: 1 ", shown)
    assert re.search("failed +1 ", shown)


@pytest.mark.parametrize("result", ["uncertain", "unknown", "failed"])
def test_somebody_got_nothing(
    storage: str, capsys: pytest.CaptureFixture[str], result: str
) -> None:
    """The exit status says so."""
    write_report(storage, Result("29:1", "a", "sent"), Result("29:2", "", result, "the reason"))
    assert run(storage, *HELLO, "--id", "n1") == ExitStatus.FOUND
    assert f"{result:9} 29:2  the reason" in capsys.readouterr().out


def test_the_bot_refuses(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An older bot may know less of a notification than the command."""
    write_report(storage)
    assert run(storage, *HELLO, "--id", "n1") == ExitStatus.FOUND
    assert "refuses the notification: it says nothing" in capsys.readouterr().out


def test_ctrl_c(storage: str) -> None:
    """It ends the command alone, which says so and how the report can be seen later. The command
    has taken the place of the process that was started, so a signal reaches it."""
    start = (
        "import sys; from bot_workbench import app_process; app_process.run('notify', sys.argv[1:])"
    )
    command = (sys.executable, "-c", start, *HELLO, "--id", "n1")
    with Program(
        [*command, "--connection-string", storage],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.line().startswith("It goes to 0 conversations.")
        assert process.line().startswith("Notification n1 is in the queue")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The bot is still sending." in errors
    assert "--id n1" in errors
    assert "Traceback" not in errors
