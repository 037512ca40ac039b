# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.federated.commands import Difference as Difference
from bot_workbench.admin.migrate.federated.commands import Trust as Trust
