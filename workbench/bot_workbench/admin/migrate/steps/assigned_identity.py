# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.identity import AppIdentity as AppIdentity
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity as AssignedIdentity
from bot_workbench.admin.migrate.steps.identity import identities_of as identities_of
from bot_workbench.admin.migrate.steps.identity import identity_in_use as identity_in_use
from bot_workbench.admin.migrate.steps.identity import USER_ASSIGNED as USER_ASSIGNED
