"""The code's names that the documentation mentions are names of the code."""

import re
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.test_imports import tracked

AZURE_PAGES = {
    "deploy.md",
    "deploy-by-hand.md",
    "migrate.md",
    "migrate-by-hand.md",
    "move-a-bot.md",
    "operations.md",
    "pipelines.md",
    "troubleshooting.md",
}
"""Their names are mostly Azure's, and runbooks/ runs what they say."""

PAGES = [page for page in sorted(ROOT.glob("docs/**/*.md")) if page.name not in AZURE_PAGES]
NAME = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\w*\))?`")
CODE = {".py", ".json", ".example", ".toml", ".txt"}
NOT_OURS = {"dl_"}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """The code and its configuration, the Makefile too."""
    files = [file for file in tracked() if file.suffix in CODE or file.name == "Makefile"]
    return [file.read_text("utf-8") for file in files]


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_names_exist(page: Path, texts: list[str]) -> None:
    """What a page sets as a name is in the code; `Class.member` in a file of the class."""
    names = set(NAME.findall(page.read_text("utf-8"))) - NOT_OURS
    assert names
    every = "\n".join(texts)
    for name in names:
        first, *members = name.split(".")
        assert re.search(rf"\b{first}\b", every), name
        own = "\n".join(text for text in texts if f"\nclass {first}" in text) or every
        assert all(re.search(rf"\b{member}\b", own) for member in members), name
