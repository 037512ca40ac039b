# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.app_registration import (
    registered_certificate as RegisteredCertificate,
)
