"""PatchedBot: settings for a bot whose code is a little different, without another app."""

import os
from pathlib import Path

from tests.support.bots.bot_process import APP


def patched(folder: Path, code: str) -> dict[str, str]:
    """Settings with which each process of a bot runs this code first.

    Args:
        folder: an empty one.
        code: Python.
    """
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(APP)))}
