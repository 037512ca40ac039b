"""After `azd deploy`: the proof that the deployed bot works, and refuses unauthenticated calls."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workbench"))

from bot_workbench.admin.deployment.hook import run

run("prove")
