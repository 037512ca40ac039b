# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.certificates import (
    PublicCertificate as PublicCertificate,
)
from bot_workbench.admin.migrate.certificate.certificates import (
    MAX_DISPLAY_NAME as MAX_DISPLAY_NAME,
)
from bot_workbench.admin.migrate.certificate.certificates import display_name as display_name
