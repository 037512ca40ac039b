"""Permissions: who may do what in a vault."""

from collections.abc import Callable

PROVIDER = "Microsoft.KeyVault/vaults/"
"""The prefix of Key Vault's data actions."""

ACTIONS = {
    "certificates/get": "certificates/read",
    "certificates/list": "certificates/read",
    "certificates/create": "certificates/create/action",
    "certificates/import": "certificates/import/action",
    "certificates/update": "certificates/update/action",
    "certificates/delete": "certificates/delete",
    "certificates/recover": "certificates/recover/action",
    "certificates/purge": "certificates/purge/action",
    "certificates/managecontacts": "certificatecontacts/write",
    "secrets/get": "secrets/getSecret/action",
    "secrets/list": "secrets/readMetadata/action",
    "keys/get": "keys/read",
    "keys/list": "keys/read",
    "keys/sign": "keys/sign/action",
}
"""Data action of Azure's roles, without PROVIDER, by the operation that it allows."""

Permissions = Callable[[str, str, str], bool]
"""Whether a principal may do something: its object id (GUID), the operation (a key of ACTIONS), and
the path of the object, such as `/certificates/bot-certificate`; empty for the vault itself."""


class GrantedOperations(dict[str, set[str]]):
    """Permissions by hand: operations by the principal's object id (GUID), for every object."""

    def __call__(self, principal_id: str, operation: str, path: str) -> bool:
        """Whether the operation was granted; the object makes no difference."""
        return operation in self.get(principal_id, ())


class RolePermissions:
    """Permissions from role assignments, at the vault or at one object in it.

    Args:
        vault_id: resource id of the vault.
        is_allowed: whether a principal (object id, GUID) may perform a data action, such as
            `Microsoft.KeyVault/vaults/keys/sign/action`, at a scope (resource id).
    """

    def __init__(self, vault_id: str, is_allowed: Callable[[str, str, str], bool]) -> None:
        self.vault_id = vault_id
        self._is_allowed = is_allowed

    def __call__(self, principal_id: str, operation: str, path: str) -> bool:
        """Whether a role of the principal's has the operation's data action."""
        action = f"{PROVIDER}{ACTIONS[operation]}"
        return self._is_allowed(principal_id, action, f"{self.vault_id}{path}")
