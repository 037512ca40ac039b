"""PatchedBot: settings for a bot whose code, or host, is a little different."""

import os
import textwrap
from pathlib import Path

from tests.support.bots.bot_process import APP

RUN = """
import os, sys, traceback
sys.path.insert(0, {app!r})  # the code may change the app's modules
try:
{code}
except BaseException:  # Python itself would continue without the patch
    traceback.print_exc()
    os._exit(1)
sys.path.remove({app!r})
"""


def patched(folder: Path, code: str) -> dict[str, str]:
    """Settings with which each process of a bot runs this code first.

    Args:
        folder: takes the code.
        code: Python; if it fails, the bot does not start.
    """
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(
        RUN.format(app=str(APP), code=textwrap.indent(code, "    "))
    )
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(APP / "workbench")))}


def with_rules(folder: Path, **rules: float) -> dict[str, str]:
    """Settings of a bot whose host obeys other rules.

    Args:
        folder: takes the code.
        rules: by the names of HostRules, in seconds.
    """
    return patched(
        folder,
        f"from bot_workbench.emulator.functions import host_rules\n"
        f"host_rules.RULES = host_rules.HostRules(**{rules!r})\n",
    )
