"""docs/architecture.md draws the error tree as it is."""

import importlib
import re

from auth.errors import BotError
from tests.support.project import ROOT
from tests.test_imports import DEPLOYED, module_of

PAGE = ROOT / "docs" / "architecture.md"
INDENT = 4

LINE = re.compile(r"^(?P<before>(?:│   |    )*(?:[├└]── )?)(?P<name>[A-Za-z_]+)")


def drawn(page: str) -> set[tuple[str, str]]:
    """The (child, parent) pairs of the fenced block that begins with BotError."""
    [block] = re.findall(r"^```\w*\n(BotError\b.*?)^```$", page, re.M | re.S)
    pairs: set[tuple[str, str]] = set()
    above: list[str] = []
    for line in block.splitlines():
        match = LINE.match(line)
        assert match, line
        depth = len(match["before"]) // INDENT
        above[depth:] = [match["name"]]
        if depth:
            pairs.add((match["name"], above[depth - 1]))
    return pairs


def classes() -> set[tuple[str, str]]:
    """The (child, parent) pairs of BotError and all public ones that derive from it."""
    modules = {module_of(file) for file in DEPLOYED}
    for module in modules:
        importlib.import_module(module)
    pairs: set[tuple[str, str]] = set()
    left: list[type[BotError]] = [BotError]
    while left:
        parent = left.pop()
        children = [
            each
            for each in parent.__subclasses__()
            if each.__module__ in modules and not each.__name__.startswith("_")
        ]
        pairs |= {(child.__name__, parent.__name__) for child in children}
        left += children
    return pairs


def test_the_drawing_is_the_classes() -> None:
    """Every error is drawn once, below the one that it derives from, and nothing else is."""
    assert drawn(PAGE.read_text()) == classes()


def test_how_a_drawing_is_read() -> None:
    """Comments behind the names and lines of upper branches do not matter."""
    page = """
```
BotError
├── One            503  a comment
│   ├── Two
│   │   └── Three
│   └── Four
└── Five
```
"""
    assert drawn(page) == {
        ("One", "BotError"),
        ("Two", "One"),
        ("Three", "Two"),
        ("Four", "One"),
        ("Five", "BotError"),
    }
