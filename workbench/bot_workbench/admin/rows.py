"""Row: one line of a report, and how reports are printed: for a terminal, and for a file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot_workbench.admin.console import shown, styled, write

OK, WARN, BAD, UNKNOWN, PLAIN = "ok", "warn", "bad", "unknown", ""

STYLES = {OK: "green", WARN: "yellow", BAD: "red", UNKNOWN: "magenta", PLAIN: ""}
"""Colours on a terminal, by mark."""


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        section: which part it belongs to, such as "App registration".
        name: what it is about.
        text: what is so.
        mark: OK, WARN, BAD, UNKNOWN or PLAIN.
    """

    section: str
    name: str
    text: str
    mark: str = PLAIN


def print_tables(console: Console, rows: Sequence[Row], pasted: Collection[str] = ()) -> None:
    """Print a table for each section, all with the same columns, in colour.

    Args:
        console: the terminal.
        rows: top to bottom.
        pasted: the sections that are printed without a table, which would break a long command.
    """
    width = max((len(row.name) for row in rows), default=0)
    for section, group in groupby(rows, lambda row: row.section):
        console.print(styled(section, "bold"))
        if section in pasted:
            for row in group:
                name = f"  {row.name:{width}}  "
                line = Text.assemble(styled(name), styled(row.text, STYLES[row.mark]))
                console.print(line, soft_wrap=True)
            continue
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=width + 2, no_wrap=True)
        table.add_column(overflow="fold")
        for row in group:
            table.add_row(styled(f"  {row.name}"), styled(row.text, STYLES[row.mark]))
        console.print(table)


def print_lines(rows: Sequence[Row]) -> None:
    """Print a line for each row, with its mark in brackets."""
    for section, group in groupby(rows, lambda row: row.section):
        write(shown(section))
        for row in group:
            mark = f" [{row.mark}]" if row.mark else ""
            write(shown(f"  {row.name}: {row.text}{mark}"))
