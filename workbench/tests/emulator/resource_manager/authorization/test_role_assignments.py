"""Role assignments and role definitions, through azure-mgmt-authorization."""

import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

from bot_workbench.emulator.resource_manager.built_in_roles import READER
from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal

CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
SOMEBODY = "c3a9f0d1-6b7e-4a55-8d2f-1f4e6b8a9c55"
SIGN = "Microsoft.KeyVault/vaults/keys/sign/action"


def parameters(
    azure: ArmThread, role: str = READER, principal_id: str = SOMEBODY, kind: str = ""
) -> Any:
    """What a client sends to assign a role; without `kind`, the principal's type is left out."""
    scope = f"/subscriptions/{azure.arm.subscription_id}"
    role_id = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    # The SDK sends User unless it is taken away.
    principal_type: Any = kind or None
    return RoleAssignmentCreateParameters(
        role_definition_id=role_id, principal_id=principal_id, principal_type=principal_type
    )


def assign(azure: ArmThread, client: Client, role: str = READER, name: str = "") -> Any:
    """Assign a role at the tests' group."""
    return client("authorization").role_assignments.create(
        azure.group_id,
        name or str(uuid.uuid4()),
        parameters(azure, role, kind="ServicePrincipal"),
    )


def own(listed: Iterable[Any]) -> list[str]:
    """Ids of assignments without those of the subscription's owner."""
    return [each.id for each in listed if each.principal_id == SOMEBODY]


def test_an_assignment_says_when_it_was_made(azure: ArmThread, client: Client) -> None:
    """A repeated PUT changes only when it was updated."""
    made = assign(azure, client)
    again = assign(azure, client, name=made.name)
    assert again.created_on == made.created_on == made.updated_on
    assert again.updated_on > made.updated_on


def test_a_role_is_assigned_read_listed_and_removed(azure: ArmThread, client: Client) -> None:
    """An assignment has its scope, principal and role; it is listed there until it is removed."""
    made = assign(azure, client, CRYPTO_USER)
    assert made.scope == azure.group_id
    assert made.principal_id == SOMEBODY
    assert made.role_definition_id.endswith(CRYPTO_USER)
    assignments = client("authorization").role_assignments
    assert assignments.get(azure.group_id, made.name).id == made.id
    assert assignments.get_by_id(made.id).name == made.name
    assert own(assignments.list_for_scope(azure.group_id)) == [made.id]
    assert azure.arm.access.is_data_allowed(SOMEBODY, SIGN, azure.group_id)
    assert assignments.delete(azure.group_id, made.name).id == made.id
    assert own(assignments.list_for_scope(azure.group_id)) == []
    assert assignments.delete(azure.group_id, made.name) is None
    assert not azure.arm.access.is_data_allowed(SOMEBODY, SIGN, azure.group_id)


def test_lists_are_filtered(azure: ArmThread, client: Client) -> None:
    """`atScope()` leaves out what is below the scope; a principal can be named in two ways."""
    made = assign(azure, client)
    assignments = client("authorization").role_assignments
    subscription = f"/subscriptions/{azure.arm.subscription_id}"
    below = f"{azure.group_id}/providers/Microsoft.KeyVault/vaults/bot-vault"

    def found(scope: str, expression: str) -> list[str]:
        return own(assignments.list_for_scope(scope, filter=expression))

    assert found(subscription, "atScope()") == []
    assert found(subscription, "") == [made.id]
    assert found(below, f"atScope() and assignedTo('{SOMEBODY}')") == [made.id]
    assert found(below, f"principalId eq '{SOMEBODY}'") == [made.id]
    assert found(below, f"principalId eq '{uuid.uuid4()}'") == []
    assert own(assignments.list_for_subscription()) == [made.id]


@pytest.mark.parametrize(
    "expression",
    [
        "principalID eq 'a' or atScope()",
        f"atScope() and principalId eq '{SOMEBODY}'",
        f"principalId eq {SOMEBODY}",
        "roleDefinitionId eq 'a'",
    ],
)
def test_a_filter_that_azure_does_not_have_is_refused(azure: ArmThread, expression: str) -> None:
    """It is never a filter that lets everything through."""
    for name in ("roleAssignments", "roleDefinitions"):
        path = f"providers/Microsoft.Authorization/{name}?$filter={expression}"
        assert refusal(azure.call("GET", path)) == (400, "UnsupportedQuery")


def test_owners_are_listed(azure: ArmThread, client: Client) -> None:
    """Who is Owner of every subscription has an assignment there, which scopes below inherit."""
    azure.arm.access.owners.add(SOMEBODY)
    (found,) = client("authorization").role_assignments.list_for_scope(
        azure.group_id, filter=f"atScope() and assignedTo('{SOMEBODY}')"
    )
    assert found.scope == f"/subscriptions/{azure.arm.subscription_id}"
    assert found.role_definition_id.endswith("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")


def test_the_same_role_twice_is_a_conflict(azure: ArmThread, client: Client) -> None:
    """Another assignment of the role to the principal at the scope is 409; the same name is not."""
    name = str(uuid.uuid4())
    made = assign(azure, client, name=name)
    assert assign(azure, client, name=name).id == made.id
    with pytest.raises(HttpResponseError) as caught:
        assign(azure, client)
    assert raised(caught.value) == (
        409,
        "RoleAssignmentExists",
        "The role assignment already exists. The ID of the existing role assignment is "
        f"{name.replace('-', '')}.",
    )
    with pytest.raises(HttpResponseError) as caught:
        assign(azure, client, CRYPTO_USER, name)
    assert raised(caught.value)[:2] == (400, "RoleAssignmentUpdateNotPermitted")


def test_a_new_identity_needs_its_type(azure: ArmThread, client: Client) -> None:
    """Until the directory has replicated a new principal, its type must be sent."""
    now = 1000.0
    azure.arm.resources.clock = lambda: now
    azure.arm.tenant.directory_lag = 30
    identity = client("identities").user_assigned_identities.create_or_update(
        "bot-group", "bot", {"location": "westeurope"}
    )
    assignments = client("authorization").role_assignments

    def create(kind: str = "") -> Any:
        wanted = parameters(azure, READER, identity.principal_id, kind)
        return assignments.create(azure.group_id, str(uuid.uuid4()), wanted)

    with pytest.raises(HttpResponseError) as caught:
        create()
    status, code, message = raised(caught.value)
    assert (status, code) == (400, "PrincipalNotFound")
    assert message.startswith(
        f"Principal {identity.principal_id.replace('-', '')} does not exist in the directory."
    )
    made = create("ServicePrincipal")
    assignments.delete(azure.group_id, made.name)
    now += 30
    assert create().principal_type == "ServicePrincipal"


def test_a_principal_that_the_directory_has_can_get_a_role(
    azure: ArmThread, client: Client
) -> None:
    """Users and applications of the directory are found; others are not."""
    assignments = client("authorization").role_assignments
    for known in (azure.entra.directory.user.object_id, azure.object_id):
        wanted = parameters(azure, principal_id=known)
        assert assignments.create(azure.group_id, str(uuid.uuid4()), wanted)
    with pytest.raises(HttpResponseError) as caught:
        assignments.create(azure.group_id, str(uuid.uuid4()), parameters(azure))
    assert raised(caught.value)[:2] == (400, "PrincipalNotFound")


def test_the_principals_type_must_be_right(azure: ArmThread, client: Client) -> None:
    """The type of a known principal is compared; the response has it, sent or not."""
    assignments = client("authorization").role_assignments

    def create(principal_id: str, kind: str = "") -> Any:
        wanted = parameters(azure, READER, principal_id, kind)
        return assignments.create(azure.group_id, str(uuid.uuid4()), wanted)

    user = azure.entra.directory.user.object_id
    with pytest.raises(HttpResponseError) as caught:
        create(azure.object_id, "User")
    assert raised(caught.value) == (
        400,
        "UnmatchedPrincipalType",
        f"The PrincipalId '{azure.object_id.replace('-', '')}' has type 'ServicePrincipal' , which "
        "is different from specified PrinciaplType 'User'.",
    )
    assert create(azure.object_id).principal_type == "ServicePrincipal"
    assert create(user).principal_type == "User"


@pytest.mark.parametrize(
    "scope",
    ["resourceGroups/missing", "resourceGroups/bot-group/providers/Microsoft.KeyVault/vaults/v"],
)
def test_a_scope_must_exist(azure: ArmThread, client: Client, scope: str) -> None:
    """A missing group, vault, or object of a missing vault is 404."""
    for end in ("", "/keys/bot"):
        with pytest.raises(HttpResponseError) as caught:
            client("authorization").role_assignments.create(
                f"/subscriptions/{azure.arm.subscription_id}/{scope}{end}",
                str(uuid.uuid4()),
                parameters(azure, kind="ServicePrincipal"),
            )
        assert raised(caught.value)[0] == 404


def test_a_role_is_named_by_its_id(azure: ArmThread) -> None:
    """A bare GUID is refused."""
    properties = {"roleDefinitionId": READER, "principalId": SOMEBODY, "principalType": "User"}
    path = f"providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    refused = azure.call("PUT", path, {"properties": properties}, version="2022-04-01")
    assert refusal(refused) == (400, "BadRequestFormat")


def test_a_role_must_exist(azure: ArmThread, client: Client) -> None:
    """An unknown role, and a name that is no GUID, are refused."""
    with pytest.raises(HttpResponseError) as caught:
        assign(azure, client, str(uuid.uuid4()))
    assert raised(caught.value)[:2] == (400, "RoleDefinitionDoesNotExist")
    with pytest.raises(HttpResponseError) as caught:
        assign(azure, client, name="reader")
    assert raised(caught.value)[:2] == (400, "InvalidRoleAssignmentId")
    with pytest.raises(HttpResponseError) as caught:
        client("authorization").role_assignments.get(azure.group_id, str(uuid.uuid4()))
    assert raised(caught.value)[:2] == (404, "RoleAssignmentNotFound")


def test_built_in_roles_are_found(azure: ArmThread, client: Client) -> None:
    """By name, as `az role assignment create --role` asks, and by GUID; they cannot be changed."""
    definitions = client("authorization").role_definitions
    (role,) = definitions.list(azure.group_id, filter="roleName eq 'Key Vault Crypto User'")
    assert role.name == CRYPTO_USER
    assert SIGN in role.permissions[0].data_actions
    assert definitions.get(azure.group_id, CRYPTO_USER).role_name == "Key Vault Crypto User"
    with pytest.raises(HttpResponseError) as caught:
        definitions.create_or_update(azure.group_id, CRYPTO_USER, {"role_name": "Mine"})
    assert raised(caught.value)[:2] == (400, "RoleDefinitionIsBuiltIn")
    with pytest.raises(HttpResponseError) as caught:
        definitions.delete(azure.group_id, CRYPTO_USER)
    assert raised(caught.value)[:2] == (400, "RoleDefinitionCannotBeDeleted")


def test_a_custom_role_is_created_assigned_and_deleted(azure: ArmThread, client: Client) -> None:
    """A custom role allows its data actions; it cannot be deleted while it is assigned."""
    definitions = client("authorization").role_definitions
    scope = f"/subscriptions/{azure.arm.subscription_id}"
    role = {
        "role_name": "Bot signer",
        "description": "Signs with keys.",
        "role_type": "CustomRole",
        "assignable_scopes": [scope],
        "permissions": [{"actions": [], "data_actions": [SIGN]}],
    }
    role_id = str(uuid.uuid4())
    definitions.create_or_update(scope, role_id, role)
    (found,) = definitions.list(scope, filter="roleName eq 'bot signer'")
    assert found.role_type == "CustomRole"
    with pytest.raises(HttpResponseError) as caught:
        definitions.create_or_update(scope, str(uuid.uuid4()), role)
    assert raised(caught.value)[:2] == (409, "RoleDefinitionWithSameNameExists")
    made = assign(azure, client, role_id)
    assert azure.arm.access.is_data_allowed(SOMEBODY, SIGN, azure.group_id)
    with pytest.raises(HttpResponseError) as caught:
        definitions.delete(scope, role_id)
    assert raised(caught.value)[:2] == (400, "RoleDefinitionHasAssignments")
    client("authorization").role_assignments.delete(azure.group_id, made.name)
    definitions.delete(scope, role_id)
    assert list(definitions.list(scope, filter="type eq 'CustomRole'")) == []
