"""Before `azd provision`: checks what it needs, and makes the app registration."""

import os
import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2]
os.chdir(str(APP))  # the command works on the app of its folder
sys.path.insert(0, str(APP / "workbench"))

from bot_workbench.admin.deployment.hook import run  # noqa: E402  # its path is set above

run("prepare")
