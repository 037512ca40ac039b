"""After `azd down`: deletes the app registration that was made for the environment."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workbench"))

from bot_workbench.admin.deployment.hook import run

run("remove")
