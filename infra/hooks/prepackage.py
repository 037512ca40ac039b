"""Before `azd package`, `deploy` and `up`: builds and checks what is uploaded."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workbench"))

from bot_workbench.admin.deployment.hook import build_package

build_package()
