"""`bot`, with the commands of maintainers beside its own: run.py starts it in this repository."""

from bot_workbench.__main__ import main

if __name__ == "__main__":
    main("maintenance.targets", "maintenance.tools")
