# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.key_vault import BotVault as BotVault
from bot_workbench.admin.migrate.certificate.key_vault import ListedVersion as ListedVersion
