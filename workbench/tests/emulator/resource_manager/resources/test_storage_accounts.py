"""Storage accounts, Application Insights and workspaces, as az and the SDK ask for them."""

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, refusal

STORAGE = "providers/Microsoft.Storage/storageAccounts"
VERSION = "2024-01-01"
ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


def test_an_account_has_endpoints_and_keys(azure: ArmThread) -> None:
    """Endpoints are in the resource, keys are returned by `listKeys` only, and stay."""
    made = azure.call("PUT", f"{STORAGE}/mybot", ACCOUNT).json()
    assert made["properties"]["primaryEndpoints"]["blob"] == "https://mybot.blob.core.windows.net/"
    keys = azure.call("POST", f"{STORAGE}/mybot/listKeys").json()
    assert [each["keyName"] for each in keys["keys"]] == ["key1", "key2"]
    assert keys == azure.call("POST", f"{STORAGE}/mybot/listKeys").json()
    assert keys["keys"][0]["value"] not in azure.call("GET", f"{STORAGE}/mybot").text


def test_a_name_is_unique_in_all_of_azure(azure: ArmThread) -> None:
    """`checkNameAvailability` says so, and a PUT in another group is refused."""
    scope = f"/subscriptions/{azure.arm.subscription_id}"
    check = f"{scope}/providers/Microsoft.Storage/checkNameAvailability"
    wanted = {"name": "mybot", "type": "Microsoft.Storage/storageAccounts"}
    assert azure.call("POST", check, wanted).json()["nameAvailable"] is True
    azure.call("PUT", f"{STORAGE}/mybot", ACCOUNT)
    assert azure.call("POST", check, wanted).json()["nameAvailable"] is False
    other = azure.group_id.replace("bot-group", "other")
    azure.arm.put(other, {"location": "westeurope"})
    taken = azure.call("PUT", f"{other}/{STORAGE}/mybot", ACCOUNT)
    assert refusal(taken) == (409, "StorageAccountAlreadyTaken")
    invalid = azure.call("PUT", f"{STORAGE}/My-Bot", ACCOUNT)
    assert refusal(invalid) == (400, "AccountNameInvalid")
    refused = azure.call("POST", check, {**wanted, "name": "My-Bot"}).json()
    assert refused["reason"] == "AccountNameInvalid"
    assert refused["message"] == invalid.json()["error"]["message"]


def test_containers_are_below_the_blob_service(azure: ArmThread) -> None:
    """The services of a new account exist, so that containers can be created in them."""
    azure.call("PUT", f"{STORAGE}/mybot", ACCOUNT)
    containers = f"{STORAGE}/mybot/blobServices/default/containers"
    assert azure.call("PUT", f"{containers}/packages", {}).status_code == 201
    (found,) = azure.call("GET", containers).json()["value"]
    assert found["name"] == "packages"
    azure.call("DELETE", f"{STORAGE}/mybot")
    assert azure.call("GET", f"{containers}/packages").status_code == 404


def test_components_and_workspaces_keep_their_ids(azure: ArmThread) -> None:
    """Keys are made once; a later PUT changes what it names, and keeps them."""
    insights = "providers/Microsoft.Insights/components/bot"
    made = azure.call("PUT", insights, {"location": "westeurope", "kind": "web"}).json()
    key = made["properties"]["InstrumentationKey"]
    assert f"InstrumentationKey={key};" in made["properties"]["ConnectionString"]
    made["properties"]["DisableLocalAuth"] = True
    changed = azure.call("PUT", insights, made).json()["properties"]
    assert (changed["InstrumentationKey"], changed["DisableLocalAuth"]) == (key, True)
    workspace = "providers/Microsoft.OperationalInsights/workspaces/logs"
    first = azure.call("PUT", workspace, {"location": "westeurope"}).json()["properties"]
    second = azure.call("PUT", workspace, {"location": "westeurope"}).json()["properties"]
    assert first["customerId"] == second["customerId"]


def test_the_sdk_updates_a_generic_resource(azure: ArmThread, client: Client) -> None:
    """`resources.get_by_id` and `begin_update_by_id` work as `az resource` uses them."""
    azure.call("PUT", f"{STORAGE}/mybot", ACCOUNT)
    resources = client("resources").resources
    storage_id = azure.resource_id("Microsoft.Storage/storageAccounts", "mybot")
    change = {"tags": {"for": "a bot"}, "properties": {"allowSharedKeyAccess": False}}
    resources.begin_update_by_id(storage_id, change, api_version=VERSION).result(timeout=60)
    change["properties"] = {"allowSharedKeyAccess": None, "supportsHttpsTrafficOnly": True}
    resources.begin_update_by_id(storage_id, change, api_version=VERSION).result(timeout=60)
    found = resources.get_by_id(storage_id, api_version=VERSION)
    assert found.properties["allowSharedKeyAccess"] is False
    assert found.properties["primaryLocation"] == "westeurope"
    assert found.tags == {"for": "a bot"}
    assert resources.check_existence_by_id(storage_id, api_version=VERSION)
    resources.begin_delete_by_id(storage_id, api_version=VERSION).result(timeout=60)
    assert not resources.check_existence_by_id(storage_id, api_version=VERSION)
