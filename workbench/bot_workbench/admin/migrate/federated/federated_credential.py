# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.federated.commands import (
    FederatedCredential as FederatedCredential,
)
