# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.app_registration import (
    AppRegistration as AppRegistration,
)
from bot_workbench.admin.migrate.certificate.app_registration import (
    NoRegistration as NoRegistration,
)
from bot_workbench.admin.migrate.certificate.app_registration import (
    UnsettledRegistration as UnsettledRegistration,
)
from bot_workbench.admin.migrate.certificate.app_registration import READS as READS
