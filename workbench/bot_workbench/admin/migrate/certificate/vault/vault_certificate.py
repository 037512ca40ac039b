# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.key_vault import vault_certificate as VaultCertificate
