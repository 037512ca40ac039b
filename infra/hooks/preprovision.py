"""Before `azd provision`: checks what it needs, and makes the app registration."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workbench"))

from bot_workbench.admin.deployment.hook import run

run("prepare")
