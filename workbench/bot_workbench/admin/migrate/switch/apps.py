# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.switch.commands import differences as differences
from bot_workbench.admin.migrate.switch.commands import facts_of as facts_of
