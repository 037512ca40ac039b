# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.function_app import app_settings as AppSettings
