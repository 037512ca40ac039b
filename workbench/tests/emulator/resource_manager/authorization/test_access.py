"""What a caller may do, by its role assignments."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError

from bot_workbench.emulator.resource_manager.built_in_roles import (
    CONTRIBUTOR,
    RBAC_ADMINISTRATOR,
    READER,
)
from tests.emulator.resource_manager.arm_thread import ArmThread, Client, refusal

SOMEBODY = "c3a9f0d1-6b7e-4a55-8d2f-1f4e6b8a9c55"
STORAGE = "Microsoft.Storage/storageAccounts"
BOTS = "Microsoft.BotService/botServices"
ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
KEY_READER = "21090545-7ca7-4776-b22c-e363652d74d2"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
WEBSITE_CONTRIBUTOR = "de139f84-1756-47ae-9be6-808fbbe84772"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
VAULTS = "Microsoft.KeyVault/vaults"
SIGN = f"{VAULTS}/keys/sign/action"


def assign(azure: ArmThread, role: str, scope: str = "", principal_id: str = SOMEBODY) -> None:
    """Assign a role (GUID) at a scope; empty: the tests' group."""
    scope = scope or azure.group_id
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": principal_id,
        "principalType": "ServicePrincipal",
    }
    name = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    azure.arm.put(name, {"properties": properties})


def add_vault(azure: ArmThread) -> str:
    """Create a vault, and return its id."""
    vault = azure.resource_id(VAULTS, "bot-vault")
    properties = {"tenantId": azure.arm.tenant_id, "sku": {"name": "standard"}}
    return azure.arm.put(vault, {"location": "westeurope", "properties": properties}).id


def test_a_caller_without_a_role_is_refused(azure: ArmThread) -> None:
    """The refusal names the caller, the action and the scope."""
    path = f"providers/{STORAGE}/mybot"
    refused = azure.call("PUT", path, ACCOUNT, token=azure.token(SOMEBODY))
    assert refusal(refused) == (403, "AuthorizationFailed")
    client_id = azure.entra.registration.app_id
    assert refused.json()["error"]["message"] == (
        f"The client '{client_id}' with object id '{SOMEBODY}' does not have authorization to "
        f"perform action '{STORAGE}/write' over scope '{azure.group_id}/{path}' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials."
    )


ROLES = {
    "Reader": (READER, {"GET": 200, "PUT": 403, "DELETE": 403, "POST": 403}),
    "Contributor": (CONTRIBUTOR, {"GET": 200, "PUT": 200, "POST": 200, "DELETE": 200}),
    "access administrator": (RBAC_ADMINISTRATOR, {"GET": 200, "PUT": 403, "POST": 403}),
}


@pytest.mark.parametrize(("role", "statuses"), ROLES.values(), ids=ROLES)
def test_a_role_allows_its_actions(azure: ArmThread, role: str, statuses: dict[str, int]) -> None:
    """A role at the group reaches the resources in it, and allows what its actions say."""
    path = f"providers/{STORAGE}/mybot"
    azure.call("PUT", path, ACCOUNT)
    assign(azure, role)
    for method, status in statuses.items():
        called = f"{path}/listKeys" if method == "POST" else path
        response = azure.call(method, called, ACCOUNT, token=azure.token(SOMEBODY))
        assert response.status_code == status, method


@pytest.mark.parametrize(
    ("path", "role", "status"),
    [
        ("", READER, 200),
        ("/channels", READER, 200),
        ("/connections", READER, 200),
        ("/channels/WebChatChannel", READER, 200),
        ("/providers/Microsoft.Authorization/roleAssignments", READER, 200),
        ("/channels", WEBSITE_CONTRIBUTOR, 403),
    ],
)
def test_a_role_on_a_bot_reaches_what_belongs_to_it(
    azure: ArmThread, path: str, role: str, status: int
) -> None:
    """Its channels and connections, one by one and in lists; the bot beside it does not count."""
    made = [
        azure.arm.put(
            azure.resource_id(BOTS, name),
            {
                "location": "global",
                "properties": {
                    "displayName": name,
                    "endpoint": "",
                    "msaAppId": str(uuid.uuid4()),
                    "msaAppTenantId": azure.arm.tenant_id,
                    "msaAppType": "SingleTenant",
                },
            },
        ).id
        for name in ("contoso-bot", "another-bot")
    ]
    assign(azure, role, made[0])
    token = azure.token(SOMEBODY)
    statuses = [azure.call("GET", f"{bot}{path}", token=token).status_code for bot in made]
    assert statuses == [status, 403]


def test_whoever_assigns_an_identity_needs_a_role_on_it(azure: ArmThread) -> None:
    """Website Contributor on the app is not enough; Managed Identity Operator reads it, too."""
    identity = azure.arm.put(azure.resource_id(IDENTITIES, "bot"), {"location": "westeurope"}).id
    plan = azure.arm.put(
        azure.resource_id("Microsoft.Web/serverfarms", "plan"),
        {"location": "westeurope", "sku": {"name": "FC1", "tier": "FlexConsumption"}},
    ).id
    body = {"location": "westeurope", "kind": "functionapp,linux"}
    site = azure.resource_id("Microsoft.Web/sites", "bot")
    azure.arm.put(site, {**body, "properties": {"serverFarmId": plan}})
    assign(azure, WEBSITE_CONTRIBUTOR, site)
    path, token = "providers/Microsoft.Web/sites/bot", azure.token(SOMEBODY)
    assigned = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}}
    refused = azure.call("PATCH", path, assigned, token=token)
    assert refusal(refused) == (403, "LinkedAuthorizationFailed")
    moved = azure.call("PATCH", path, {"properties": {"serverFarmId": plan}}, token=token)
    assert refusal(moved) == (403, "LinkedAuthorizationFailed")
    identity_path = f"providers/{IDENTITIES}/bot"
    assert azure.call("GET", identity_path, token=token).status_code == 403
    assign(azure, IDENTITY_OPERATOR, identity)
    assert azure.call("PATCH", path, assigned, token=token).status_code == 200
    assert azure.call("GET", identity_path, token=token).status_code == 200


def test_a_role_on_a_vault_shows_the_vault(azure: ArmThread) -> None:
    """Key Vault Reader has `vaults/*/read`, which means the vault as well as what is in it."""
    vault = add_vault(azure)
    path, token = vault.removeprefix(f"{azure.group_id}/"), azure.token(SOMEBODY)
    assert azure.call("GET", path, token=token).status_code == 403
    assign(azure, KEY_READER, vault)
    assert azure.call("GET", path, token=token).status_code == 200


def test_a_contributor_assigns_no_roles(azure: ArmThread) -> None:
    """Contributor excludes writes of role assignments."""
    assign(azure, CONTRIBUTOR)
    path = f"providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    refused = azure.call("PUT", path, {}, token=azure.token(SOMEBODY))
    assert refusal(refused) == (403, "AuthorizationFailed")


def test_lists_show_what_the_caller_may_read(azure: ArmThread) -> None:
    """Subscriptions, groups and resources without a role of the caller's are left out."""
    azure.arm.put(azure.resource_id(STORAGE, "mine"), dict(ACCOUNT))
    azure.arm.put(azure.resource_id(STORAGE, "others"), dict(ACCOUNT))
    token = azure.token(SOMEBODY)
    assert azure.call("GET", "/subscriptions", token=token).json()["value"] == []
    assign(azure, READER, azure.resource_id(STORAGE, "mine"))
    (found,) = azure.call("GET", "/subscriptions", token=token).json()["value"]
    assert found["subscriptionId"] == azure.arm.subscription_id
    listed = azure.call("GET", f"/subscriptions/{azure.arm.subscription_id}/resources", token=token)
    assert [each["name"] for each in listed.json()["value"]] == ["mine"]
    accounts = f"/subscriptions/{azure.arm.subscription_id}/providers/{STORAGE}"
    listed = azure.call("GET", accounts, token=token)
    assert [each["name"] for each in listed.json()["value"]] == ["mine"]
    assert refusal(azure.call("GET", f"providers/{STORAGE}", token=token))[0] == 403


def test_a_group_is_read_with_a_role_at_the_group(azure: ArmThread) -> None:
    """A role at a resource in the group is not enough; Website Contributor at the group is."""
    token, scope = azure.token(SOMEBODY), f"/subscriptions/{azure.arm.subscription_id}"
    assign(azure, READER, azure.arm.put(azure.resource_id(STORAGE, "mine"), dict(ACCOUNT)).id)
    assert refusal(azure.call("GET", azure.group_id, token=token)) == (403, "AuthorizationFailed")
    assign(azure, WEBSITE_CONTRIBUTOR)
    assert azure.call("GET", azure.group_id, token=token).status_code == 200
    (listed,) = azure.call("GET", f"{scope}/resourcegroups", token=token).json()["value"]
    assert listed["id"] == azure.group_id


def test_data_actions_of_one_object_in_a_vault(azure: ArmThread) -> None:
    """A role at an object of a vault reaches that object only; one at the vault reaches all."""
    vault = add_vault(azure)
    assign(azure, KEY_READER, f"{vault}/certificates/bot")
    assign(azure, CRYPTO_USER, f"{vault}/keys/bot")
    allowed = azure.arm.access.is_data_allowed
    assert allowed(SOMEBODY, SIGN, f"{vault}/keys/BOT")
    assert allowed(SOMEBODY, f"{VAULTS}/certificates/read", f"{vault}/certificates/bot")
    assert not allowed(SOMEBODY, SIGN, f"{vault}/certificates/bot")
    for scope in (f"{vault}/keys/other", f"{vault}/keys/bottom", vault):
        assert not allowed(SOMEBODY, SIGN, scope)
    assign(azure, CRYPTO_USER, vault)
    assert allowed(SOMEBODY, SIGN, f"{vault}/keys/other")


def test_a_role_excludes_data_actions(azure: ArmThread) -> None:
    """What a role excludes is not allowed by its wildcards; another role may allow it."""
    vault = add_vault(azure)
    scope = f"/subscriptions/{azure.arm.subscription_id}"
    role = str(uuid.uuid4())
    permissions = {
        "dataActions": [f"{VAULTS}/*"],
        "notDataActions": [f"{VAULTS}/secrets/getSecret/action"],
    }
    properties = {
        "roleName": "Keeper",
        "assignableScopes": [scope],
        "permissions": [permissions],
    }
    role_id = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    azure.arm.put(role_id, {"properties": properties})
    assign(azure, role, vault)
    secret = f"{vault}/secrets/bot"
    assert azure.arm.access.is_data_allowed(
        SOMEBODY, f"{VAULTS}/secrets/readMetadata/action", secret
    )
    assert not azure.arm.access.is_data_allowed(
        SOMEBODY, f"{VAULTS}/secrets/getSecret/action", secret
    )
    assign(azure, SECRETS_USER, secret)
    assert azure.arm.access.is_data_allowed(SOMEBODY, f"{VAULTS}/secrets/getSecret/action", secret)


def test_a_role_takes_effect_after_a_while(azure: ArmThread) -> None:
    """With a lag, an assignment allows nothing until that many seconds have passed."""
    now = 1000.0
    azure.arm.access.clock = lambda: now
    azure.arm.access.lag = 60
    assign(azure, CRYPTO_USER)
    assert not azure.arm.access.is_data_allowed(SOMEBODY, SIGN, azure.group_id)
    now += 60
    assert azure.arm.access.is_data_allowed(SOMEBODY, SIGN, azure.group_id)


def test_the_owner_of_a_subscription_has_no_data_actions(azure: ArmThread) -> None:
    """Owner manages resources; what they hold needs a role of its own."""
    assert not azure.arm.access.is_data_allowed(azure.object_id, SIGN, azure.group_id)


def test_the_sdk_sees_the_refusal(azure: ArmThread, client: Client) -> None:
    """The SDK's exception has status and code."""
    azure.arm.access.owners.clear()
    with pytest.raises(HttpResponseError) as caught:
        client("resources").resource_groups.get("bot-group")
    assert caught.value.status_code == 403
    assert getattr(caught.value.error, "code", "") == "AuthorizationFailed"
