# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.app_registration import (
    KeyCredentials as KeyCredentials,
)
from bot_workbench.admin.migrate.certificate.app_registration import ends as ends
from bot_workbench.admin.migrate.certificate.app_registration import (
    entry_thumbprint as entry_thumbprint,
)
