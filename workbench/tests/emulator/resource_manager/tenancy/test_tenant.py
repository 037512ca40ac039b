"""Subscriptions, tenants, resource groups, providers, and the list of resources."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError

from bot_workbench.emulator.resource_manager.resource_type import Subscription
from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal

STORAGE = "Microsoft.Storage/storageAccounts"
ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


def test_subscriptions_and_tenants_are_listed(azure: ArmThread) -> None:
    """With the versions that az sends; a subscription names its tenant."""
    azure.arm.tenant.subscriptions.append(Subscription(name="Fabrikam"))
    listed = azure.call("GET", "/subscriptions", version="2022-12-01").json()["value"]
    assert [each["displayName"] for each in listed] == ["Contoso", "Fabrikam"]
    assert {each["tenantId"] for each in listed} == {azure.arm.tenant_id}
    (tenant,) = azure.call("GET", "/tenants", version="2022-12-01").json()["value"]
    assert tenant["tenantId"] == azure.arm.tenant_id
    one = azure.call("GET", f"/subscriptions/{azure.arm.subscription_id.upper()}").json()
    assert one["subscriptionId"] == azure.arm.subscription_id
    locations = azure.call("GET", f"/subscriptions/{azure.arm.subscription_id}/locations").json()
    assert "westeurope" in {each["name"] for each in locations["value"]}


def test_a_group_is_changed_and_read(azure: ArmThread, client: Client) -> None:
    """A PUT is 201, then 200; its location stays; a PATCH replaces the tags."""
    groups = client("resources").resource_groups
    path = f"/subscriptions/{azure.arm.subscription_id}/resourceGroups/new"
    assert azure.call("PUT", path, {"location": "West Europe"}).status_code == 201
    assert azure.call("PUT", path, {"location": "westeurope"}).status_code == 200
    with pytest.raises(HttpResponseError) as caught:
        groups.create_or_update("new", {"location": "northeurope"})
    assert raised(caught.value)[:2] == (409, "InvalidResourceGroupLocation")
    assert groups.update("new", {"tags": {"a": "b"}}).tags == {"a": "b"}
    assert groups.get("NEW").location == "westeurope"
    with pytest.raises(HttpResponseError) as caught:
        groups.update("missing", {"tags": {}})
    assert raised(caught.value)[:2] == (404, "ResourceGroupNotFound")
    assert refusal(azure.call("PUT", f"{path}.", {"location": "westeurope"})) == (
        400,
        "InvalidResourceGroup",
    )
    assert refusal(azure.call("PUT", f"{path}2", {})) == (400, "LocationRequired")
    unknown = {"location": "westeurope", "tag": {"a": "b"}}
    assert refusal(azure.call("PUT", f"{path}2", unknown)) == (400, "InvalidRequestContent")


def test_a_group_keeps_its_resources_after_a_change(azure: ArmThread, client: Client) -> None:
    """Another PUT of the group changes its tags only."""
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    client("resources").resource_groups.create_or_update(
        "bot-group", {"location": "westeurope", "tags": {"a": "b"}}
    )
    assert azure.call("GET", f"providers/{STORAGE}/mybot").status_code == 200


FILTERS = {
    f"resourceType eq '{STORAGE}'": ["mybot", "other"],
    f"resourceType eq '{STORAGE.lower()}' and name eq 'MYBOT'": ["mybot"],
    "name eq 'missing'": [],
    "resourceGroup eq 'bot-group' and location eq 'northeurope'": ["other"],
    "tagName eq 'for' and tagValue eq 'a bot and more'": ["mybot"],
    "tagName eq 'for'": ["mybot"],
    "substringof('ther', name)": ["other"],
    "resourceType ne 'Microsoft.Web/sites'": ["mybot", "other"],
}


@pytest.mark.parametrize(("expression", "names"), FILTERS.items(), ids=range(len(FILTERS)))
def test_resources_are_found_by_filter(
    azure: ArmThread, client: Client, expression: str, names: list[str]
) -> None:
    """A filter compares type, name, group, location and tags, in any case."""
    azure.call("PUT", f"providers/{STORAGE}/mybot", {**ACCOUNT, "tags": {"for": "a bot and more"}})
    azure.call("PUT", f"providers/{STORAGE}/other", {**ACCOUNT, "location": "northeurope"})
    resources = client("resources").resources
    assert [each.name for each in resources.list(filter=expression)] == names


def test_a_filter_that_is_not_known_is_refused(client: Client) -> None:
    """An unknown property or operator is 400."""
    with pytest.raises(HttpResponseError) as caught:
        list(client("resources").resources.list(filter="kind gt 'app'"))
    assert raised(caught.value)[:2] == (400, "InvalidFilterInQueryString")


def test_the_list_of_a_group_has_its_resources(azure: ArmThread, client: Client) -> None:
    """Without properties, and without what other groups have."""
    other = azure.group_id.replace("bot-group", "other")
    azure.arm.put(f"{other}/providers/{STORAGE}/elsewhere", dict(ACCOUNT))
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    (found,) = client("resources").resources.list_by_resource_group("bot-group")
    assert (found.name, found.kind, found.sku.name) == ("mybot", "StorageV2", "Standard_LRS")
    assert found.properties is None


def test_a_new_resource_is_listed_later(azure: ArmThread, client: Client) -> None:
    """With a lag, a new resource can be read at once, and is in the list after some time."""
    now = 1000.0
    azure.arm.resources.clock = lambda: now
    azure.arm.tenant.list_lag = 60
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    resources = client("resources").resources
    assert azure.call("GET", f"providers/{STORAGE}/mybot").status_code == 200
    assert list(resources.list()) == []
    now += 60
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    assert [each.name for each in resources.list()] == ["mybot"]


def test_a_provider_must_be_registered(azure: ArmThread, client: Client) -> None:
    """A write to a provider that is not registered is 409; `register` allows it."""
    providers = client("resources").providers
    providers.unregister("Microsoft.Storage")
    assert providers.get("microsoft.storage").registration_state == "NotRegistered"
    refused = azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    assert refusal(refused) == (409, "MissingSubscriptionRegistration")
    assert providers.register("Microsoft.Storage").registration_state == "Registered"
    assert azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT).status_code == 200
    assert "Microsoft.BotService" in {each.namespace for each in providers.list()}
    with pytest.raises(HttpResponseError) as caught:
        providers.get("Contoso.Bots")
    assert raised(caught.value)[:2] == (404, "InvalidResourceNamespace")


def test_resources_of_another_subscription_are_apart(azure: ArmThread) -> None:
    """Each subscription has its own groups."""
    other = Subscription(str(uuid.uuid4()), "Fabrikam")
    azure.arm.tenant.subscriptions.append(other)
    groups = azure.call("GET", f"/subscriptions/{other.id}/resourceGroups").json()
    assert groups["value"] == []


def test_tags_are_merged_replaced_and_deleted(azure: ArmThread, client: Client) -> None:
    """By the resource of their own that every scope has, as `az tag update` does."""
    azure.call("PUT", f"providers/{STORAGE}/mybot", {**ACCOUNT, "tags": {"a": "1", "b": "2"}})
    scope, tags = azure.resource_id(STORAGE, "mybot"), client("resources").tags

    def change(operation: str, **values: str) -> dict[str, str]:
        body = {"operation": operation, "properties": {"tags": values}}
        made = tags.begin_update_at_scope(scope, body).result(timeout=60)
        return dict(made.properties.tags)

    assert dict(tags.get_at_scope(scope).properties.tags) == {"a": "1", "b": "2"}
    assert change("Merge", b="3", c="4") == {"a": "1", "b": "3", "c": "4"}
    assert change("Delete", a="1") == {"b": "3", "c": "4"}
    assert change("Replace", d="5") == {"d": "5"}
    assert azure.call("GET", f"providers/{STORAGE}/mybot").json()["tags"] == {"d": "5"}
    with pytest.raises(HttpResponseError) as caught:
        tags.get_at_scope(f"{scope}-missing")
    assert raised(caught.value)[:2] == (404, "ResourceNotFound")
