"""The sample bot keeps the rules of the base, which `make check` does not have for a bot.

`make format` leaves it alone, too: `.venv/bin/ruff format bot_logic/*.py tests/bot_logic/*.py`.
"""

import subprocess
import sys

import pytest

from tests.docs import test_glossary, test_links, test_troubleshooting
from tests.support.project import ROOT
from tests.test_imports import BOT, files_of, imports, name

pytestmark = pytest.mark.extended  # `make check` runs them

FILES = [*files_of(BOT), *sorted((ROOT / "tests" / BOT).rglob("*.py"))]


def checked(*command: str) -> None:
    """Run a tool on the files; named one by one, it checks what its settings leave out."""
    tool = [sys.executable, "-m", *command, *map(str, FILES)]
    done = subprocess.run(tool, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint() -> None:
    """Ruff has nothing to say."""
    checked("ruff", "check")
    checked("ruff", "format", "--check")


def test_types() -> None:
    """The bot is typed as strictly as the base."""
    checked("mypy")


def test_it_reads_no_environment() -> None:
    """Settings come with the services."""
    assert [name(file) for file in files_of(BOT) if "os" in imports(file)] == []


def test_words() -> None:
    """It uses the field's words."""
    assert [each for file in FILES for each in test_glossary.violations(file)] == []


def test_what_it_logs() -> None:
    """The page on troubleshooting has its phrases as they are."""
    said = test_troubleshooting.texts_of(files_of(BOT))
    phrases = test_troubleshooting.phrases("Users cannot sign in")
    assert [phrase for phrase in phrases if phrase not in said] == []


def test_links_into_it() -> None:
    """What the documentation links to in the bot and its tests is there."""
    for page in test_links.PAGES:
        for link in test_links.links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            own = any(target.is_relative_to(folder) for folder in test_links.REPLACED)
            assert not own or target.exists(), f"{name(page)}: {link}"
