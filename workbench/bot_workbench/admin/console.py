"""The console: where commands print, for people and for pipelines.

Everything that they print passes here, because most of it comes from elsewhere: tags, names and
messages of Azure could hold control characters that move the cursor, hide text or write to the
clipboard (OSC 52).
"""

import json
import re
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
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
