"""PatchedBot: settings for a bot whose code is a little different, without another app."""

import os
import textwrap
from pathlib import Path

from tests.support.bots.bot_process import APP

RUN = """
import os, traceback
try:
{code}
except BaseException:  # Python itself would continue without the patch
    traceback.print_exc()
    os._exit(1)
"""


def patched(folder: Path, code: str) -> dict[str, str]:
    """Settings with which each process of a bot runs this code first.

    Args:
        folder: takes the code.
        code: Python; if it fails, the bot does not start.
    """
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(RUN.format(code=textwrap.indent(code, "    ")))
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(APP)))}
