"""Plans, and what regions offer, as az asks before it creates a Function App."""

from tests.emulator.resource_manager.arm_thread import ArmThread, Client


def test_a_plans_tier_follows_from_its_sku(client: Client) -> None:
    """A plan is created with its sku's name alone."""
    plans = client("web").app_service_plans
    body = {"location": "westeurope", "sku": {"name": "FC1"}, "properties": {"reserved": True}}
    made = plans.begin_create_or_update("bot-group", "plan", body).result(timeout=60)
    assert (made.sku.name, made.sku.tier) == ("FC1", "FlexConsumption")
    assert plans.get("bot-group", "plan").properties.reserved is True
    plans.delete("bot-group", "plan")
    assert list(plans.list_by_resource_group("bot-group")) == []


def test_regions_and_stacks(azure: ArmThread, client: Client) -> None:
    """Regions of the plan are those of the subscription; the newest Python is the first."""
    names = {each.name for each in client("web").list_geo_regions(sku="FlexConsumption")}
    assert "West Europe" in names
    path = "/providers/Microsoft.Web/locations/westeurope/functionAppStacks?stack=python"
    (python,) = azure.call("GET", path).json()["value"]
    (three,) = python["properties"]["majorVersions"]
    first = three["minorVersions"][0]
    assert first["value"] == "3.13"
    (sku,) = first["stackSettings"]["linuxRuntimeSettings"]["Sku"]
    assert sku["skuCode"] == "FC1"
