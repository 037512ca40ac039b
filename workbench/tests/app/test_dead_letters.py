"""`bot dead-letters`: what it prints, does and exits with."""

import io
import json
import re
import time

import pytest
from azure.storage.queue import QueueClient

from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app.command_line import main
from cloud_adapter.queued.inbox import WAITING, StoredActivity, record
from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE
from cloud_adapter.queued.set_aside import GONE, NO_CAUSE, NOT_A_WAKE_UP
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.queue import MessageQueue
from tests.support.bots.queued_turns import CLAIMS, QueuedTurnsBot, content, name_of
from tests.support.storage.account_work import in_account

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _wide_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are not wrapped."""
    monkeypatch.setenv("COLUMNS", "300")


def run(storage: str, *words: str) -> object:
    """Run the command; returns its exit status."""
    with pytest.raises(SystemExit) as ending:
        main(["dead-letters", *words, "--connection-string", storage])
    return ending.value.code


def put(storage: str, *messages: str) -> None:
    """Put messages into the poison queue."""

    async def work(account: StorageAccount) -> None:
        for message in messages:
            await MessageQueue(account, POISON_QUEUE).put(message)

    in_account(storage, work)


def dead_letter(storage: str) -> None:
    """Store an activity, and dead-letter its wake-up message."""

    async def work(account: StorageAccount) -> None:
        line = record("a", time.time_ns(), CLAIMS, content())
        stored = StoredActivity(name_of(), time.time_ns(), 5, WAITING, line)
        await QueuedTurnsBot(account).set_aside.write(stored)
        await MessageQueue(account, POISON_QUEUE).put(WakeUp(name_of()).text)

    in_account(storage, work)


def messages(storage: str, queue: str) -> list[str]:
    """The messages in a queue, which stay there."""
    with QueueClient.from_connection_string(storage, queue) as client:
        return [each.id for each in client.peek_messages(max_messages=32)]


def test_none(storage: str, capsys: Printed) -> None:
    """Without dead letters `list` says so, and exits with 0."""
    assert run(storage, "list") == ExitStatus.DONE
    assert capsys.readouterr().out == f"0 in {POISON_QUEUE}\n"
    assert run(storage, "list", "--json") == ExitStatus.DONE
    assert json.loads(capsys.readouterr().out) == []


def test_the_list_as_text(storage: str, capsys: Printed) -> None:
    """One line for each, which stays where it is: the second look finds it, too."""
    dead_letter(storage)
    for _ in range(2):
        assert run(storage, "list") == ExitStatus.FOUND
        line, count = capsys.readouterr().out.splitlines()
        assert re.fullmatch(rf"[0-9a-f]{{8}}  \S+ \S+Z  \S+  {re.escape(NO_CAUSE)}", line)
        assert count == f"1 in {POISON_QUEUE}"


def test_the_list_on_a_terminal(
    storage: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table, which leaves out nothing."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    put(storage, "hello")
    run(storage, "list")
    shown = " ".join(capsys.readouterr().out.split())
    for text in ("Id", "Accepted (UTC)", "Conversation", "Cause", NOT_A_WAKE_UP):
        assert text in shown


def test_an_inbox(storage: str, capsys: Printed) -> None:
    """A message for a whole inbox has a conversation, and no time; it can be replayed."""
    put(storage, WakeUp("c").text)
    assert run(storage, "list") == ExitStatus.FOUND
    line, _ = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"[0-9a-f]{{8}}  - +c  {re.escape(NO_CAUSE)}", line)
    assert run(storage, "replay", "--all") == ExitStatus.DONE
    assert len(messages(storage, QUEUE)) == 1


def test_traces(storage: str, capsys: Printed) -> None:
    """Each with its redacted traceback, or with what stands in its place."""
    put(storage, "hello")
    assert run(storage, "list", "--traces") == ExitStatus.FOUND
    assert NOT_A_WAKE_UP in capsys.readouterr().out.splitlines()


def test_the_list_as_json(storage: str, capsys: Printed) -> None:
    """One array, in which nothing is cut."""
    dead_letter(storage)
    put(storage, "hello")
    assert run(storage, "list", "--json") == ExitStatus.FOUND
    one, foreign = sorted(json.loads(capsys.readouterr().out), key=lambda each: each["cause"])
    assert one["conversation"] == WakeUp(name_of()).conversation
    assert one["accepted"].endswith("+00:00")
    assert one["cause"] == one["traceback"] == NO_CAUSE
    assert {len(each["id"]) for each in (one, foreign)} == {36}
    assert (foreign["accepted"], foreign["conversation"]) == (None, None)


def test_replaying(storage: str, capsys: Printed) -> None:
    """The one that is named by the beginning of its id is requeued; the others stay."""
    dead_letter(storage)
    [message_id] = messages(storage, POISON_QUEUE)
    put(storage, "hello")
    assert run(storage, "replay", message_id[:20], "--json") == ExitStatus.DONE
    done = {"done": [message_id], "failed": {}, "unknown": []}
    assert json.loads(capsys.readouterr().out) == done
    assert len(messages(storage, QUEUE)) == len(messages(storage, POISON_QUEUE)) == 1


def test_replaying_what_is_gone(storage: str, capsys: Printed) -> None:
    """Nothing can be requeued: the reason is given, and the dead letter stays."""
    put(storage, WakeUp(name_of()).text)
    [message_id] = messages(storage, POISON_QUEUE)
    assert run(storage, "replay", "--all") == ExitStatus.FOUND
    assert capsys.readouterr().out == f"{message_id[:8]}: {GONE}; drop it\n0 requeued\n"
    assert run(storage, "replay", "--all", "--json") == ExitStatus.FOUND
    assert json.loads(capsys.readouterr().out)["failed"] == {message_id: GONE}
    assert messages(storage, POISON_QUEUE) == [message_id]


def test_dropping(storage: str, capsys: Printed) -> None:
    """The ones that are named go; an id that no dead letter has is reported."""
    put(storage, "one", "two")
    first, second = messages(storage, POISON_QUEUE)
    assert run(storage, "drop", first, "none") == ExitStatus.FOUND
    assert "none: no dead letter has this id" in capsys.readouterr().out
    assert messages(storage, POISON_QUEUE) == [second]
    assert run(storage, "drop", "--all") == ExitStatus.DONE
    assert capsys.readouterr().out.endswith("\n1 dropped\n")
    assert messages(storage, POISON_QUEUE) == []


@pytest.mark.parametrize("command", ["replay", "drop"])
@pytest.mark.parametrize("words", [(), ("--all", "id")])
def test_which_ones(storage: str, capsys: Printed, command: str, words: tuple[str, ...]) -> None:
    """Ids or --all, and not both."""
    put(storage, "hello")
    assert run(storage, command, *words) == ExitStatus.USAGE
    assert "or --all" in capsys.readouterr().err
    assert len(messages(storage, POISON_QUEUE)) == 1


class TypedAnswer(io.StringIO):
    """Standard input at a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(
    ("words", "answer", "status", "left"),
    [
        (("--all",), "n\n", 1, 1),
        (("--all",), "y\n", 0, 0),
        (("--all", "--yes"), "", 0, 0),
    ],
)
def test_dropping_all_at_a_terminal(
    storage: str,
    capsys: Printed,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    answer: str,
    status: int,
    left: int,
) -> None:
    """The command asks first, unless --yes has answered."""
    put(storage, "hello")
    monkeypatch.setattr("sys.stdin", TypedAnswer(answer))
    assert run(storage, "drop", *words) == status
    assert ("Drop all dead letters?" in capsys.readouterr().err) == bool(answer)
    assert len(messages(storage, POISON_QUEUE)) == left
