"""Every relative link of the documentation leads to a file of this project, or a heading in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import ROOT

PAGES = [ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")]
PAGES += sorted(ROOT.glob("docs/**/*.md"))
PAGES += sorted(ROOT.glob("workbench/*.md"))
PAGES.append(ROOT / "workbench" / "benchmarks" / "peers" / "README.md")

REPLACED = (ROOT / "bot_logic", ROOT / "tests" / "bot_logic")
"""Folders of the user's, who need not have the files that the pages show. (The sample's tests look
for them.)"""

LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|srcset|href)=\"([^\"]+)\"")
CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.M | re.S)


def prose(page: Path) -> str:
    """A page without its code blocks, which may hold what looks like a link or a heading."""
    return CODE_BLOCK.sub("", page.read_text("utf-8"))


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links and images, those to other sites left out."""
    for markdown, html in LINK.findall(prose(page)):
        target = markdown or html
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link names an existing file, and an anchor one of its headings."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if any(target.is_relative_to(folder) for folder in REPLACED):
            continue
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_reached_from_the_readme() -> None:
    """A reader who follows links from README.md finds every page of docs/."""
    found, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in found and page.suffix == ".md":
            found.add(page)
            targets = (link.partition("#")[0] for link in links(page))
            waiting += [(page.parent / target).resolve() for target in targets if target]
    assert set(ROOT.glob("docs/**/*.md")) <= found
