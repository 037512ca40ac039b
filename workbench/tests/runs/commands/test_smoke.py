"""`run.py smoke`, which CI runs on Windows and macOS, too."""

import subprocess
import sys

from tests.support.project import ROOT


def test_smoke() -> None:
    """It starts a bot, is answered, and stops it."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "smoke"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "The bot starts, answers and stops.\n" in ended.stdout
