"""After `azd provision`: gives the bot's credential what the template cannot."""

import os
import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2]
os.chdir(str(APP))  # the command works on the app of its folder
sys.path.insert(0, str(APP / "workbench"))

from bot_workbench.admin.deployment.hook import run  # noqa: E402  # its path is set above

run("finish")
