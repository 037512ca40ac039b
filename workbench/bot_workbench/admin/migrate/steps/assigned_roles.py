# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.roles import AssignedRole as AssignedRole
from bot_workbench.admin.migrate.steps.roles import read_assigned_roles as read_assigned_roles
from bot_workbench.admin.migrate.steps.roles import role_definition as role_definition
