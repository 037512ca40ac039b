"""Operations that go on after their response: their URLs, and when they take effect."""

import pytest
from azure.core.exceptions import HttpResponseError

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, refusal

STORAGE = "Microsoft.Storage/storageAccounts"
ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


def test_a_long_write_is_polled_to_its_end(azure: ArmThread, client: Client) -> None:
    """A PUT is 202 with Azure-AsyncOperation, which the SDK polls; then it reads the resource."""
    now = 1000.0
    azure.arm.long_running.clock = lambda: now
    azure.arm.long_running.seconds["microsoft.web/serverfarms", "PUT"] = 60
    web = client("web")
    plan = {"location": "westeurope", "sku": {"name": "FC1"}}
    poller = web.app_service_plans.begin_create_or_update("bot-group", "plan", plan)
    path = "providers/Microsoft.Web/serverFarms/plan"
    assert azure.call("GET", path).status_code == 404
    now += 61
    assert poller.result(timeout=60).name == "plan"
    state = azure.call("GET", path).json()["properties"]["provisioningState"]
    assert state == "Succeeded"
    assert any("operationStatuses" in each for each in azure.arm.server.requests)


def test_a_long_write_takes_effect_at_its_end(azure: ArmThread) -> None:
    """Until then, a resource is as it was, and says that it is being written; hooks come later."""
    now = 1000.0
    changes: list[object] = []
    arm, path = azure.arm, "providers/Microsoft.Web/sites/contoso"
    site = arm.put(azure.resource_id("Microsoft.Web/sites", "contoso"), {"location": "westeurope"})
    arm.on_site_change = changes.append
    arm.long_running.clock = lambda: now
    arm.long_running.seconds["microsoft.web/sites", "PATCH"] = 60
    kind = {"identity": {"type": "SystemAssigned"}, "properties": {"httpsOnly": True}}
    started = azure.call("PATCH", path, kind)
    assert (started.status_code, changes) == (202, [])
    going = azure.call("GET", path).json()
    assert "identity" not in going
    assert going["properties"]["provisioningState"] == "InProgress"
    now += 60
    done = azure.call("GET", path).json()
    assert done["identity"]["type"] == "SystemAssigned"
    assert done["properties"]["httpsOnly"] is True
    assert changes == [site]


def test_a_long_write_that_is_refused_has_no_operation(azure: ArmThread) -> None:
    """A faulty request is refused at once."""
    azure.arm.long_running.seconds["microsoft.web/sites", "PUT"] = 60
    body = {"location": "westeurope", "properties": {"serverFarmId": "/subscriptions/S/plan"}}
    refused = azure.call("PUT", "providers/Microsoft.Web/sites/contoso", body)
    assert refusal(refused) == (404, "NotFound")


def test_an_operation_may_fail(azure: ArmThread, client: Client) -> None:
    """The SDK raises its error, and nothing was changed."""
    kind = ("microsoft.web/serverfarms", "PUT")
    azure.arm.long_running.seconds[kind] = 0
    azure.arm.long_running.fails[kind] = ("Conflict", "No capacity in this region.")
    plans = client("web").app_service_plans
    body = {"location": "westeurope", "sku": {"name": "FC1"}}
    with pytest.raises(HttpResponseError, match="No capacity in this region"):
        plans.begin_create_or_update("bot-group", "plan", body).result(timeout=30)
    assert azure.call("GET", "providers/Microsoft.Web/serverFarms/plan").status_code == 404


def test_an_operation_says_how_it_stands(azure: ArmThread) -> None:
    """Its two URLs say that it goes on until its time is over, and when to ask again."""
    now = 1000.0
    azure.arm.long_running.clock = lambda: now
    azure.arm.long_running.seconds["microsoft.web/serverfarms", "PUT"] = 60
    plan = {"location": "westeurope", "sku": {"name": "FC1"}}
    started = azure.call("PUT", "providers/Microsoft.Web/serverFarms/plan", plan)
    assert started.status_code == 202
    status, result = (
        started.headers[name].removeprefix(azure.arm.server.url).partition("?")[0]
        for name in ("Azure-AsyncOperation", "Location")
    )
    going = azure.call("GET", status)
    assert (going.json()["status"], going.headers["Retry-After"]) == ("InProgress", "1")
    assert azure.call("GET", result).status_code == 202
    now += 60
    assert azure.call("GET", status).json()["status"] == "Succeeded"
    assert azure.call("GET", result).status_code == 200


def test_the_deletion_of_a_group_is_polled(azure: ArmThread, client: Client) -> None:
    """A DELETE is 202 with Location, and the group's resources are gone with it."""
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    azure.arm.long_running.seconds["microsoft.resources/resourcegroups", "DELETE"] = 0
    client("resources").resource_groups.begin_delete("bot-group").result(timeout=60)
    assert any("operationResults" in each for each in azure.arm.server.requests)
    assert list(azure.arm.resources) == []


def test_an_unknown_operation_is_not_found(azure: ArmThread) -> None:
    """The URL of an operation that was never started is 404."""
    scope = f"/subscriptions/{azure.arm.subscription_id}/providers/Microsoft.Web"
    response = azure.call("GET", f"{scope}/locations/global/operationStatuses/none")
    assert refusal(response) == (404, "NotFound")
