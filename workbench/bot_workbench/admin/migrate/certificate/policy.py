# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.certificate.certificates import (
    CertificatePolicy as CertificatePolicy,
)
from bot_workbench.admin.migrate.certificate.certificates import (
    never_leaves_vault as never_leaves_vault,
)
from bot_workbench.admin.migrate.certificate.certificates import KEY_BITS as KEY_BITS
from bot_workbench.admin.migrate.certificate.certificates import (
    RENEW_DAYS_BEFORE_EXPIRY as RENEW_DAYS_BEFORE_EXPIRY,
)
from bot_workbench.admin.migrate.certificate.certificates import VALID_MONTHS as VALID_MONTHS
