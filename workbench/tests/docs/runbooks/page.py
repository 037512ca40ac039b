"""The bash blocks of the documentation's pages, each with the section that it stands in."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.project import ROOT

PAGES = [page for page in [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"] if page.exists()]
"""Every page that may have commands."""

BLOCK = re.compile(r"^(?P<indent> *)```bash\n(?P<body>.*?)^(?P=indent)```$", re.M | re.S)
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.M)


@dataclass(frozen=True)
class Block:
    """One fenced bash block.

    Attributes:
        page: its file.
        line: where the block starts in the page, from 1.
        section: the title of the heading above it.
        text: its lines, without the fence and the indentation of a list.
    """

    page: Path
    line: int
    section: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The page's fenced bash blocks, those inside lists too."""
    text = page.read_text("utf-8")
    # A comment of a script looks like a heading.
    prose = BLOCK.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    headings = [(found.start(), found["title"]) for found in HEADING.finditer(prose)]
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        above = [title for start, title in headings if start < found.start()]
        yield Block(page, line, above[-1] if above else "", textwrap.dedent(found["body"]))
