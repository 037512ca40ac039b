# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.function_app import deployed_code as DeployedCode
