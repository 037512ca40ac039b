# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.switch.commands import NEW_ENDPOINT as NEW_ENDPOINT
from bot_workbench.admin.migrate.switch.commands import PREVIOUS_ENDPOINT as PREVIOUS_ENDPOINT
from bot_workbench.admin.migrate.switch.commands import SWITCHED_ON as SWITCHED_ON
from bot_workbench.admin.migrate.switch.commands import leaves_new_app as leaves_new_app
from bot_workbench.admin.migrate.switch.commands import old_endpoint as old_endpoint
