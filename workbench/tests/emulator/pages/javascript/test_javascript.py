"""The pages' JavaScript: what has no need of a browser runs in Node.js."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bot_workbench.setup.tools import PAGES

FOLDER = Path(__file__).parent
NODE = shutil.which("node")
TIMEOUT_SECONDS = 120


@pytest.mark.skipif(NODE is None, reason="Node.js is missing: install it to test the pages' code")
@pytest.mark.parametrize(
    "file", sorted(FOLDER.rglob("*.test.mjs")), ids=lambda file: str(file.relative_to(FOLDER))
)
def test_javascript(file: Path) -> None:
    """Each case of a file passes."""
    command = [str(NODE), "--test", "--test-reporter=spec", str(file)]
    found = {"PAGE_LIBRARIES": str(PAGES.folder)} if PAGES.folder.is_dir() else {}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        env=os.environ | found,
    )
    assert done.returncode == 0, done.stdout + done.stderr
