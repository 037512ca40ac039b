"""docs/extend.md shows the bots in examples/, and move-a-bot.md the other one, as they are."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.support.project import ROOT

EXAMPLES = sorted(path for path in (ROOT / "examples").glob("[!._]*") if path.is_dir())
WITHOUT_THE_ADAPTER = ROOT / "examples" / "aiohttp_bot"
"""Not a bot for this project's adapter: its page is another one."""

PAGE = (ROOT / "docs" / "extend.md").read_text("utf-8")
SECTIONS = [
    *(ROOT / "docs" / "move-a-bot.md").read_text("utf-8").split("\n## "),
    *PAGE.split("\n## "),
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
INDENTS = ("", " " * 4, " " * 8)


def section(example: Path) -> str:
    """The section that links to an example; the last one, as the introduction lists them all."""
    return next(text for text in reversed(SECTIONS) if f"(../examples/{example.name})" in text)


def code_of(example: Path) -> str:
    """All Python files of an example."""
    return "\n".join(file.read_text("utf-8") for file in sorted(example.rglob("*.py")))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_section_shows_the_examples_code(example: Path) -> None:
    """Every block of Python in an example's section is in the example's files."""
    blocks, code = BLOCK.findall(section(example)), code_of(example)
    assert blocks
    for block in blocks:
        assert any(textwrap.indent(block, indent) in code for indent in INDENTS), block


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_can_be_found_and_is_tested(example: Path) -> None:
    """The page's table has a line for each bot, and a test is beside it."""
    assert example == WITHOUT_THE_ADAPTER or f"| [{example.name}](#" in PAGE
    assert list(example.glob("test_*.py"))
