"""Permissions: operations granted by hand, or by the data actions of roles."""

from bot_workbench.emulator.key_vault.vault import (
    ACTIONS,
    PROVIDER,
    GrantedOperations,
    role_permissions,
)

VAULT = "/subscriptions/S/resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/contoso-kv"
READER = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"


def test_operations_are_granted_by_hand() -> None:
    """A principal may do what was granted to it, to every object; others may do nothing."""
    granted = GrantedOperations({READER: {"keys/sign"}})
    assert granted(READER, "keys/sign", "/keys/bot")
    assert granted(READER, "keys/sign", "")
    assert not granted(READER, "secrets/get", "/secrets/bot")
    assert not granted(OTHER, "keys/sign", "/keys/bot")


def test_roles_are_looked_up_at_the_object() -> None:
    """The scope of the look-up is the object's resource id, or the vault's."""
    asked: list[tuple[str, str, str]] = []

    def is_allowed(principal_id: str, action: str, scope: str) -> bool:
        asked.append((principal_id, action, scope))
        return scope != VAULT

    roles = role_permissions(VAULT, is_allowed)
    assert roles(READER, "keys/sign", "/keys/bot")
    assert not roles(READER, "certificates/list", "")
    assert asked == [
        (READER, f"{PROVIDER}keys/sign/action", f"{VAULT}/keys/bot"),
        (READER, f"{PROVIDER}certificates/read", VAULT),
    ]


def test_a_data_action_allows_its_operations() -> None:
    """What reads certificates neither creates them nor signs with their keys."""
    roles = role_permissions(VAULT, lambda _, action, __: action == f"{PROVIDER}certificates/read")
    allowed = {operation for operation in ACTIONS if roles(READER, operation, "")}
    assert allowed == {"certificates/get", "certificates/list"}
