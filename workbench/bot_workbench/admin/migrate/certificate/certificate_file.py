# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.certificates import CertificateFile as CertificateFile
