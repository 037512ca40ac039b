"""The console: where commands print, for people and for pipelines; and the rows of reports.

Everything that they print passes here, because most of it comes from elsewhere: tags, names and
messages of Azure could hold control characters that move the cursor, hide text or write to the
clipboard (OSC 52).
"""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's property Bidi_Control
    "\u2028\u2029"  # separators of lines and paragraphs
    "\ud800-\udfff]"  # halves of a surrogate pair, which no terminal can be sent
)


def shown(text: str) -> str:
    r"""A text in one line, with its control characters as escapes, such as \x1b, \n and \u202e."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def shown_lines(text: str) -> str:
    """A text of several lines, each as `shown`."""
    return "\n".join(map(shown, text.split("\n")))


def styled(text: str, style: str = "") -> Text:
    """One line for a terminal; brackets in it are no markup."""
    return Text(shown(text), style)


def write(text: str = "", *, flush: bool = False) -> None:
    """Print lines on standard output, never wrapped."""
    print(shown_lines(text), flush=flush)


def write_json(value: object, *, flush: bool = False) -> None:
    """Print a value as JSON, in ASCII, on one line of standard output."""
    # "\x7f" is the only control character that JSON's ASCII leaves as it is.
    print(json.dumps(value).replace("\x7f", "\\u007f"), flush=flush)


def write_error(text: str) -> None:
    """Print lines on standard error, never wrapped."""
    errors.print(Text(shown_lines(text)), soft_wrap=True)


class _Console(Console):
    """A console that shows control characters of whatever it draws: tables, bars, texts."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Draw something; what rich itself sends to the terminal stays."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(shown_lines(segment.text), segment.style)


output = _Console(highlight=False, markup=False, emoji=False)
"""Standard output. Commands draw tables and progress bars on it only when it is a terminal."""

errors = _Console(highlight=False, markup=False, emoji=False, stderr=True)
"""Standard error: hints and failures, which stay out of pipelines."""

JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Print JSON for a pipeline; the shape is described above."
    ),
]


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
