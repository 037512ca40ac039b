"""The findings for people: what was found, and commands that can be copied as they stand."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot_workbench.admin.console import shown, shown_lines, styled
from bot_workbench.admin.doctor.diagnosis import (
    ERROR,
    IGNORED,
    SEVERITIES,
    UNKNOWN,
    WARNING,
    Diagnosis,
)
from bot_workbench.admin.rows import BAD, OK, STYLES, WARN
from bot_workbench.admin.rows import UNKNOWN as UNSEEN

MARGIN = 4
"""Spaces before a problem and its cure."""

_STYLES = {
    ERROR: STYLES[BAD],
    WARNING: STYLES[WARN],
    UNKNOWN: STYLES[UNSEEN],
    IGNORED: STYLES[UNSEEN],
}

_PLURALS = {ERROR: "errors", WARNING: "warnings"}


def print_findings(terminal: Console, found: Sequence[Diagnosis]) -> None:
    """Print the findings in colour. Only a terminal breaks the line of a cure, which is then still
    copied as one.

    Args:
        terminal: where.
        found: in their order.
    """
    terminal.print(styled(_title(found), "bold" if found else STYLES[OK]))
    for each in found:
        terminal.print(styled(f"  {each.severity}: {each.code}", _STYLES[each.severity]))
        terminal.print(Padding(Text(shown_lines(each.problem)), (0, 0, 0, MARGIN)))
        for line in each.cure.split("\n"):
            terminal.print(styled(" " * MARGIN + line, "bold"), soft_wrap=True)


def finding_lines(found: Sequence[Diagnosis]) -> Iterator[str]:
    """The findings for a file."""
    yield _title(found)
    for each in found:
        yield f"  {each.severity}: {each.code}"
        for line in (each.problem, *each.cure.split("\n")):
            yield " " * MARGIN + shown(line)


def _title(found: Sequence[Diagnosis]) -> str:
    """The number of findings in words: "Found: 1 error, 2 warnings"."""
    if not found:
        return "Found: nothing, everything is as it should be"
    counts = {severity: sum(each.severity == severity for each in found) for severity in SEVERITIES}
    named = [
        f"{count} {severity if count == 1 else _PLURALS.get(severity, severity)}"
        for severity, count in counts.items()
        if count
    ]
    return f"Found: {', '.join(named)}"
