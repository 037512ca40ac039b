# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.azure_bot import NO_REGISTRATION as NO_REGISTRATION
