"""The output of `dead-letters`: tables on a terminal, plain lines elsewhere, JSON for pipelines."""

from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bot_workbench.admin import console
from bot_workbench.admin.console import shown, styled
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.queued.set_aside import DeadLetter

SHORT_ID = 8
"""Characters of a dead letter's id that people see."""


@dataclass
class Outcome:
    """The results for the dead letters that a command named.

    Attributes:
        done: those that were replayed or dropped.
        failed: the reason why one was not, by its id (GUID).
        unknown: ids on the command line that no dead letter has.
    """

    done: list[DeadLetter] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def print_listing(found: list[DeadLetter], *, traces: bool, as_json: bool) -> None:
    """Print all dead letters."""
    if as_json:
        console.write_json([_json(each) for each in found])
        return
    if traces:
        for each in found:
            console.write(f"{_line(each)}\n{each.failure}\n")
    else:
        _print_rows(found)
    console.write(f"{len(found)} in {POISON_QUEUE}")


def print_outcome(outcome: Outcome, done: str, *, as_json: bool) -> None:
    """Print what was done, and what could not be.

    Args:
        outcome: the outcome.
        done: the participle for what the command does, such as "dropped".
        as_json: print one JSON object.
    """
    if as_json:
        ids = [each.message.id for each in outcome.done]
        console.write_json({"done": ids, "failed": outcome.failed, "unknown": outcome.unknown})
        return
    _print_rows(outcome.done)
    for message_id, reason in outcome.failed.items():
        console.write(shown(f"{message_id[:SHORT_ID]}: {reason}; drop it"))
    for given in outcome.unknown:
        text = f"{given}: no dead letter has this id; `dead-letters list` shows them"
        console.write(shown(text))
    console.write(f"{len(outcome.done)} {done}")


def _print_rows(dead_letters: list[DeadLetter]) -> None:
    if not dead_letters:
        return
    if not console.output.is_terminal:
        for each in dead_letters:
            console.write(_line(each))
        return
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Id", "Accepted (UTC)"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Conversation", "Cause"):
        table.add_column(heading, overflow="fold")
    for each in dead_letters:
        table.add_row(*map(styled, _row(each)))
    console.output.print(table)


def _row(dead_letter: DeadLetter) -> tuple[str, str, str, str]:
    accepted, wake_up = dead_letter.accepted, dead_letter.wake_up
    return (
        dead_letter.message.id[:SHORT_ID],
        f"{accepted:%Y-%m-%d %H:%M:%S}Z" if accepted else "-",
        wake_up.conversation if wake_up else "-",
        dead_letter.cause,
    )


def _line(dead_letter: DeadLetter) -> str:
    short_id, accepted, conversation, cause = _row(dead_letter)
    return shown(f"{short_id}  {accepted:20}  {conversation}  {cause}")


def _json(dead_letter: DeadLetter) -> dict[str, str | None]:
    accepted, wake_up = dead_letter.accepted, dead_letter.wake_up
    return {
        "id": dead_letter.message.id,
        "accepted": accepted.isoformat() if accepted else None,
        "conversation": wake_up.conversation if wake_up else None,
        "cause": dead_letter.cause,
        "traceback": dead_letter.failure,
    }
