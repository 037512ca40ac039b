# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.proof import proof_loop as proof_loop
