# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.function_app import restart_change as restart_change
