# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.azure_bot import tag_change as tag_change
from bot_workbench.admin.migrate.steps.azure_bot import tags_of as tags_of
