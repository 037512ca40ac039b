# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.function_app import bot_settings as bot_settings
from bot_workbench.admin.migrate.steps.function_app import credential_plan as credential_plan
from bot_workbench.admin.migrate.steps.function_app import question_if_live as question_if_live
from bot_workbench.admin.migrate.steps.function_app import question_if_hidden as question_if_hidden
