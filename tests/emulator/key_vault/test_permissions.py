"""Permissions: operations granted by hand, or by the data actions of roles."""

import pytest

from emulator.key_vault.permissions import ACTIONS, PROVIDER, GrantedOperations, RolePermissions

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
    asked: list[tuple[str, str]] = []

    def data_actions(principal_id: str, scope: str) -> set[str]:
        asked.append((principal_id, scope))
        return set()

    roles = RolePermissions(VAULT, data_actions)
    assert not roles(READER, "keys/sign", "/keys/bot")
    assert not roles(READER, "certificates/list", "")
    assert asked == [(READER, f"{VAULT}/keys/bot"), (READER, VAULT)]


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("keys/sign", "keys/sign/action"),
        ("certificates/create", "certificates/create/action"),
        ("certificates/get", "certificates/*"),
        ("certificates/managecontacts", "certificatecontacts/write"),
        ("secrets/get", "SECRETS/GETSECRET/ACTION"),
        ("secrets/list", "*"),
    ],
)
def test_a_data_action_allows_its_operations(operation: str, action: str) -> None:
    """Data actions are compared without case, and `*` stands for any text."""
    roles = RolePermissions(VAULT, lambda *_: {f"{PROVIDER}{action}"})
    assert roles(READER, operation, "")


def test_a_data_action_allows_no_other_operations() -> None:
    """What reads certificates neither creates them nor signs with their keys."""
    roles = RolePermissions(VAULT, lambda *_: {f"{PROVIDER}certificates/read"})
    allowed = {operation for operation in ACTIONS if roles(READER, operation, "")}
    assert allowed == {"certificates/get", "certificates/list"}
