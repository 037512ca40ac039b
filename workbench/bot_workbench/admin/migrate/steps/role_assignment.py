# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.roles import (
    KEY_VAULT_CERTIFICATES_OFFICER as KEY_VAULT_CERTIFICATES_OFFICER,
)
from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_CRYPTO_USER as KEY_VAULT_CRYPTO_USER
from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_READER as KEY_VAULT_READER
from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_SECRETS_USER as KEY_VAULT_SECRETS_USER
from bot_workbench.admin.migrate.steps.roles import ROLES_IN_VAULT as ROLES_IN_VAULT
from bot_workbench.admin.migrate.steps.roles import SERVICE_PRINCIPAL as SERVICE_PRINCIPAL
from bot_workbench.admin.migrate.steps.roles import (
    STORAGE_BLOB_DATA_OWNER as STORAGE_BLOB_DATA_OWNER,
)
from bot_workbench.admin.migrate.steps.roles import (
    STORAGE_QUEUE_DATA_CONTRIBUTOR as STORAGE_QUEUE_DATA_CONTRIBUTOR,
)
from bot_workbench.admin.migrate.steps.roles import USER as USER
from bot_workbench.admin.migrate.steps.roles import Role as Role
from bot_workbench.admin.migrate.steps.roles import allowing as allowing
from bot_workbench.admin.migrate.steps.roles import allows as allows
from bot_workbench.admin.migrate.steps.roles import assigned as assigned
from bot_workbench.admin.migrate.steps.roles import vault_roles as vault_roles
from bot_workbench.admin.migrate.steps.roles import role_assignment as RoleAssignment
