"""The sample bot keeps the rules of the base, which `make check` does not have for a bot.

`make format` leaves it alone, too: `.venv/bin/ruff format bot_logic/*.py tests/bot_logic/*.py`.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import test_glossary, test_links, test_troubleshooting
from tests.support.project import ROOT
from tests.test_imports import BOT, SDK, files_of, imports, name

pytestmark = pytest.mark.extended  # `make check` runs them

FILES = [*files_of(BOT), *sorted(Path(__file__).parent.rglob("*.py"))]
OFFERED = {"cloud_adapter.bot.services"}
"""What a bot may import of the base. The SDK's TeamsInfo blocks: a bot imports ours instead."""


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


def test_it_knows_the_sdk_only() -> None:
    """The bot imports the bot SDK, itself and the standard library, and reads no environment."""
    allowed = SDK | {BOT} | set(sys.stdlib_module_names) - {"os"}
    for file in files_of(BOT):
        foreign = {module.partition(".")[0] for module in imports(file) - OFFERED}
        assert foreign <= allowed, name(file)


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
