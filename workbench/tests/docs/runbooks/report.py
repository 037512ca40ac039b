"""The report of what ran, a row for each run, which docs/local-development.md shows."""

from collections.abc import Sequence

from tests.docs.runbooks.shell import FUNC, REAL, Paste
from tests.support.project import ROOT

ASKED = (("account", "get-access-token"), ("cloud", "list"))
PAGE = ROOT / "docs" / "local-development.md"


def row(name: str, pastes: Sequence[Paste]) -> str:
    """The commands of a run, each counted once in its block, however often a loop repeats it.

    What azure-identity and Core Tools ask the Azure CLI, tokens and a URL, is not counted.
    """
    calls = {
        (call.place, call.command): call.status
        for paste in pastes
        for call in paste.calls
        if call.program in (*REAL, FUNC) and call.command[1:3] not in ASKED
    }
    by_az = sum(command[0] == "az" for _, command in calls)
    succeeded = sum(status == 0 for status in calls.values())
    return f"| {name} | {by_az} | {len(calls) - by_az} | {succeeded} |"


def check_success(pastes: Sequence[Paste]) -> None:
    """Fail unless every command has succeeded, at the last time if a loop waits for it."""
    for paste in pastes:
        last = {(call.place, call.command): call for call in paste.calls}
        failed = [
            f"{call.place}: {call.command}\n{call.errors}" for call in last.values() if call.status
        ]
        assert not failed, "\n".join(failed)
        assert not paste.failures, f"{paste.failures}\n{paste.errors}"
        assert paste.status == 0, paste.errors


def check(name: str, pastes: Sequence[Paste]) -> None:
    """Fail unless every command of a run has succeeded, and the page says how many there are."""
    check_success(pastes)
    expected = row(name, pastes)
    assert expected in PAGE.read_text("utf-8").splitlines(), f"{PAGE.name} must say: {expected}"
