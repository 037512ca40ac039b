"""The code's names that the documentation mentions are names of the code."""

import re
from pathlib import Path

import pytest

from tests.test_imports import tracked

ROOT = Path(__file__).parents[2]
AZURE_PAGES = {"deploy.md", "migrate.md", "troubleshooting.md"}
"""Their names are mostly Azure's, and test_commands.py runs what they say."""

PAGES = [page for page in sorted(ROOT.glob("docs/*.md")) if page.name not in AZURE_PAGES]
NAME = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\w*\))?`")
CODE = {".py", ".json", ".example", ".toml", ".txt"}
NOT_OURS = {"dl_"}


@pytest.fixture(scope="module")
def words() -> set[str]:
    """Every word in the code and its configuration, the Makefile's too."""
    files = [file for file in tracked() if file.suffix in CODE or file.name == "Makefile"]
    return {word for file in files for word in re.findall(r"\w+", file.read_text("utf-8"))}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_names_exist(page: Path, words: set[str]) -> None:
    """Whatever a page sets as one name, `like.this`, is in the code: nothing was renamed since."""
    names = set(NAME.findall(page.read_text("utf-8"))) - NOT_OURS
    assert names
    unknown = {name for name in names if not words.issuperset(name.split("."))}
    assert not unknown
