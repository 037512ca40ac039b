# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.function_app import unclaimed_app as UnclaimedApp
from bot_workbench.admin.migrate.steps.function_app import APP_ID as APP_ID
