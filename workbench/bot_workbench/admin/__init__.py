"""Commands that people run from their machine: `python -m bot_workbench.admin`. Never deployed."""
