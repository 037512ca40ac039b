"""The `az` commands that sentences name are commands of the real Azure CLI."""

import re
import shlex
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.docs.commands.test_az import environ_of_nobody
from tests.support.project import ROOT

PAGES = [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def mentions(files: Iterable[Path]) -> set[str]:
    """The code within the text: a command, with or without some of its options."""
    return {
        found
        for file in files
        for found in re.findall(r"`az ([a-z][^`$]*)`", file.read_text("utf-8"))
    }


def command_and_options(mention: str) -> tuple[list[str], list[str]]:
    """The words before the first option, and the names of the options."""
    words = shlex.split(mention)
    options = [word for word in words if word.startswith("--")]
    first = words.index(options[0]) if options else len(words)
    return words[:first], options


def problem(mention: str, az: Path, environ: dict[str, str]) -> str:
    """What the help of Azure CLI does not have; empty: it has all."""
    words, options = command_and_options(mention)
    done = subprocess.run(
        [str(az), *words, "--help"],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,  # the answer is the assertion
    )
    if done.returncode:
        return f"az {mention}: there is no such command"
    missing = [option for option in options if not re.search(rf"{option}\b", done.stdout)]
    return f"az {mention}: no option {', '.join(missing)}" if missing else ""


@pytest.mark.az
@pytest.mark.timeout(600)
def test_what_sentences_name(az: Path, tmp_path: Path) -> None:
    """Each command, and each option that is named with it, is in the CLI's help."""
    ask = partial(problem, az=az, environ=environ_of_nobody(tmp_path))
    with ThreadPoolExecutor(max_workers=2) as pool:
        assert [each for each in pool.map(ask, sorted(mentions(PAGES))) if each] == []


@pytest.mark.az
def test_a_wrong_mention_is_noticed(az: Path, tmp_path: Path) -> None:
    """A command or option that does not exist."""
    environ = environ_of_nobody(tmp_path)
    assert "no such command" in problem("deployment sub whatif", az, environ)
    assert "no option --endpoints" in problem("bot update --endpoints", az, environ)
