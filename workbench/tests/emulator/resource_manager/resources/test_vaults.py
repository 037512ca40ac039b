"""Key vaults as resources, through azure-mgmt-keyvault."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from bot_workbench.emulator.resource_manager.resource_type import Subscription
from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal


def body(azure: ArmThread, **properties: Any) -> dict[str, Any]:
    """A vault as clients send it."""
    sku = {"family": "A", "name": "standard"}
    sent = {"tenantId": azure.arm.tenant_id, "sku": sku, "enableRbacAuthorization": True}
    return {"location": "westeurope", "properties": {**sent, **properties}}


def test_a_vault_is_created_read_and_listed(azure: ArmThread, client: Client) -> None:
    """It has an address, and soft delete whatever was sent."""
    vaults = client("vaults").vaults
    made = vaults.begin_create_or_update("bot-group", "Bot-Vault", body(azure)).result(timeout=60)
    assert made.properties.vault_uri == "https://bot-vault.vault.azure.net/"
    assert made.properties.enable_rbac_authorization is True
    assert made.properties.enable_soft_delete is True
    assert vaults.get("bot-group", "bot-vault").id == made.id
    assert [each.name for each in vaults.list_by_resource_group("bot-group")] == ["Bot-Vault"]
    assert [each.name for each in vaults.list_by_subscription()] == ["Bot-Vault"]


def test_a_vault_that_takes_long_is_read_until_it_is_there(
    azure: ArmThread, client: Client
) -> None:
    """A PUT is 200 with a state, and the SDK reads the vault until the state is another one."""
    now = 1000.0
    azure.arm.long_running.clock = lambda: now
    azure.arm.long_running.seconds["microsoft.keyvault/vaults", "PUT"] = 60
    poller = client("vaults").vaults.begin_create_or_update("bot-group", "bot-vault", body(azure))
    read = azure.call("GET", "providers/Microsoft.KeyVault/vaults/bot-vault").json()
    assert read["properties"]["provisioningState"] == "RegisteringDns"
    assert not poller.done()
    now += 60
    assert poller.result(timeout=60).properties.provisioning_state == "Succeeded"


def test_access_policies_are_changed_one_by_one(azure: ArmThread, client: Client) -> None:
    """Those of the principals that are named; the others stay."""
    vaults = client("vaults").vaults
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)

    def change(kind: str, principal: str, permission: str) -> list[tuple[str, list[str]]]:
        policy = {
            "tenantId": azure.arm.tenant_id,
            "objectId": principal,
            "permissions": {"certificates": [permission]},
        }
        sent = {"properties": {"accessPolicies": [policy]}}
        vaults.update_access_policy("bot-group", "bot-vault", kind, sent)
        found = vaults.get("bot-group", "bot-vault").properties.access_policies
        return [(each.object_id, each.permissions.certificates) for each in found]

    assert change("add", "one", "get") == [("one", ["get"])]
    assert change("add", "two", "list") == [("one", ["get"]), ("two", ["list"])]
    assert change("replace", "one", "list") == [("two", ["list"]), ("one", ["list"])]
    assert change("remove", "two", "list") == [("one", ["list"])]
    path = "providers/Microsoft.KeyVault/vaults/bot-vault/accessPolicies/drop"
    assert refusal(azure.call("PUT", path, {"properties": {}})) == (400, "BadRequest")


def test_purge_protection_stays(azure: ArmThread, client: Client) -> None:
    """It can be switched on, and not off again; neither can the deleted vault be purged."""
    vaults = client("vaults").vaults
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    on, off = ({"properties": {"enablePurgeProtection": each}} for each in (True, False))
    assert vaults.update("bot-group", "bot-vault", on).properties.enable_purge_protection is True
    with pytest.raises(HttpResponseError) as caught:
        vaults.update("bot-group", "bot-vault", off)
    assert raised(caught.value)[:2] == (400, "BadRequest")
    vaults.delete("bot-group", "bot-vault")
    with pytest.raises(HttpResponseError) as caught:
        vaults.begin_purge_deleted("bot-vault", "westeurope").result(timeout=60)
    assert raised(caught.value)[:2] == (400, "MethodNotAllowed")


def test_purge_protection_cannot_be_declined(azure: ArmThread) -> None:
    """Even a new vault takes no `false`: who wants no protection leaves the property out."""
    path = "providers/Microsoft.KeyVault/vaults/bot-vault"
    refused = azure.call("PUT", path, body(azure, enablePurgeProtection=False))
    assert refusal(refused) == (400, "BadRequest")
    assert azure.call("GET", path).status_code == 404


def test_a_deleted_vault_keeps_its_name(azure: ArmThread, client: Client) -> None:
    """The name is free again once the vault is purged."""
    vaults = client("vaults").vaults
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    vaults.delete("bot-group", "bot-vault")
    assert [each.name for each in vaults.list_deleted()] == ["bot-vault"]
    deleted = vaults.get_deleted("bot-vault", "westeurope")
    assert deleted.properties.vault_id.endswith("/vaults/bot-vault")
    with pytest.raises(HttpResponseError) as caught:
        vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    assert raised(caught.value)[:2] == (409, "ConflictError")
    vaults.begin_purge_deleted("bot-vault", "westeurope").result(timeout=60)
    assert list(vaults.list_deleted()) == []
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)


def test_a_deleted_vault_is_recovered(azure: ArmThread, client: Client) -> None:
    """`createMode` brings it back with all that it had, but only in its own group; no answer shows
    the mode."""
    vaults = client("vaults").vaults
    made = vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    recover = body(azure, createMode="recover", enableRbacAuthorization=None)
    path = "providers/Microsoft.KeyVault/vaults/bot-vault"
    assert refusal(azure.call("PUT", path, recover)) == (404, "DeletedVaultNotFound")
    vaults.delete("bot-group", "bot-vault")
    other = azure.group_id.replace("bot-group", "other")
    missing = azure.call("PUT", f"{other}/{path}", recover)
    assert refusal(missing) == (404, "ResourceGroupNotFound")
    azure.arm.put(other, {"location": "westeurope"})
    assert refusal(azure.call("PUT", f"{other}/{path}", recover)) == (409, "ConflictError")
    recovered = azure.call("PUT", path, recover).json()
    assert recovered["id"] == made.id
    assert recovered["properties"]["enableRbacAuthorization"] is True
    assert "createMode" not in recovered["properties"]
    assert list(vaults.list_deleted()) == []
    assert vaults.get("bot-group", "bot-vault").id == made.id


def test_a_deleted_vault_is_found_in_its_region_only(azure: ArmThread, client: Client) -> None:
    """In another region or subscription it can neither be read nor purged."""
    vaults = client("vaults").vaults
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    vaults.delete("bot-group", "bot-vault")
    other = Subscription()
    azure.arm.tenant.subscriptions.append(other)
    own = f"/subscriptions/{azure.arm.subscription_id}/providers/Microsoft.KeyVault"
    listed = f"/subscriptions/{other.id}/providers/Microsoft.KeyVault/deletedVaults"
    assert azure.call("GET", listed).json()["value"] == []
    for provider, region in ((own, "eastus"), (listed.rpartition("/")[0], "westeurope")):
        path = f"{provider}/locations/{region}/deletedVaults/bot-vault"
        assert refusal(azure.call("GET", path)) == (404, "DeletedVaultNotFound")
        assert refusal(azure.call("POST", f"{path}/purge")) == (404, "DeletedVaultNotFound")


def test_a_put_keeps_what_protects_a_vault(azure: ArmThread) -> None:
    """Access control, purge protection and retention stay when the body does not name them."""
    path = "providers/Microsoft.KeyVault/vaults/bot-vault"
    strict = body(azure, enablePurgeProtection=True, softDeleteRetentionInDays=7)
    azure.call("PUT", path, strict)
    plain = {"tenantId": azure.arm.tenant_id, "sku": {"family": "A", "name": "standard"}}
    sent = {"location": "westeurope", "properties": {**plain, "enableSoftDelete": False}}
    kept = azure.call("PUT", path, sent).json()["properties"]
    assert (kept["enablePurgeProtection"], kept["softDeleteRetentionInDays"]) == (True, 7)
    assert (kept["enableRbacAuthorization"], kept["enableSoftDelete"]) == (True, True)
    refused = azure.call("PUT", path, body(azure, softDeleteRetentionInDays=90))
    assert refusal(refused) == (400, "BadRequest")


@pytest.mark.parametrize("days", [6, 91])
def test_a_retention_that_azure_does_not_have(azure: ArmThread, days: int) -> None:
    """A vault keeps what was deleted from 7 to 90 days."""
    path = "providers/Microsoft.KeyVault/vaults/bot-vault"
    refused = azure.call("PUT", path, body(azure, softDeleteRetentionInDays=days))
    assert refusal(refused) == (400, "BadRequest")


@pytest.mark.parametrize(("version", "has_roles"), [("2024-11-01", False), ("2026-02-01", True)])
def test_the_default_access_control_depends_on_the_version(
    azure: ArmThread, version: str, has_roles: bool
) -> None:
    """A new vault has roles since 2026-02-01; an old one keeps what it has."""
    path = "providers/Microsoft.KeyVault/vaults/bot-vault"
    plain = body(azure, enableRbacAuthorization=None)
    for each in (version, "2026-02-01"):
        made = azure.call("PUT", path, plain, version=each).json()
        assert made["properties"]["enableRbacAuthorization"] is has_roles


def test_an_unknown_property_is_not_shown(azure: ArmThread) -> None:
    """A typo in a property's name shows in the answer."""
    sent = body(azure, enablePurgeProtekton=True)
    made = azure.call("PUT", "providers/Microsoft.KeyVault/vaults/bot-vault", sent).json()
    assert "enablePurgeProtekton" not in made["properties"]


def test_a_name_is_unique_in_all_of_azure(azure: ArmThread, client: Client) -> None:
    """`checkNameAvailability` says so, and a PUT in another group is refused."""
    vaults = client("vaults").vaults
    wanted = {"name": "bot-vault", "type": "Microsoft.KeyVault/vaults"}
    assert vaults.check_name_availability(wanted).name_available is True
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    assert vaults.check_name_availability(wanted).name_available is False
    other = azure.group_id.replace("bot-group", "other")
    azure.arm.put(other, {"location": "westeurope"})
    path = f"{other}/providers/Microsoft.KeyVault/vaults/bot-vault"
    assert refusal(azure.call("PUT", path, body(azure))) == (409, "VaultAlreadyExists")
    invalid = azure.call("PUT", "providers/Microsoft.KeyVault/vaults/1-vault", body(azure))
    assert refusal(invalid) == (400, "VaultNameNotValid")
    incomplete = {"location": "westeurope", "properties": {}}
    refused = azure.call("PUT", "providers/Microsoft.KeyVault/vaults/vault", incomplete)
    assert refusal(refused) == (400, "BadRequest")


def test_the_hook_is_called(azure: ArmThread, client: Client) -> None:
    """Creation and deletion are reported to whoever listens."""
    seen: list[bool] = []
    azure.arm.on_vault_change = lambda found: seen.append(found.id in azure.arm.resources)
    vaults = client("vaults").vaults
    vaults.begin_create_or_update("bot-group", "bot-vault", body(azure)).result(timeout=60)
    vaults.delete("bot-group", "bot-vault")
    assert seen == [True, False]
