"""Service tags, as `az functionapp config access-restriction add --service-tag` reads them."""

from tests.emulator.resource_manager.arm_thread import ArmThread, refusal

PATH = "/subscriptions/{}/providers/Microsoft.Network/locations/westeurope/serviceTags"


def test_the_bot_service_has_one(azure: ArmThread) -> None:
    """The list has the names that rules may have, in general and for the region."""
    path = PATH.format(azure.arm.subscription_id)
    listed = azure.call("GET", path, version="2022-01-01").json()
    names = {each["name"] for each in listed["values"]}
    assert names >= {"AzureBotService", "AzureCloud", "AzureCloud.westeurope"}
    assert all(each["properties"]["addressPrefixes"] for each in listed["values"])


def test_other_types_of_its_provider_are_unknown(azure: ArmThread) -> None:
    """There are no networks here."""
    refused = azure.call("GET", "providers/Microsoft.Network/virtualNetworks")
    assert refusal(refused) == (404, "InvalidResourceType")
