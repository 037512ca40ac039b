"""Azure Bots, through azure-mgmt-botservice."""

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.botservice.models import Bot, BotProperties, Sku

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal

TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
ENDPOINT = "https://contoso.azurewebsites.net/api/messages"


def body(app_id: str = "", **properties: Any) -> Any:
    """A bot as the SDK sends it."""
    values: dict[str, Any] = {
        "display_name": "Contoso",
        "endpoint": ENDPOINT,
        "msa_app_id": app_id or str(uuid.uuid4()),
        "msa_app_type": "SingleTenant",
        "msa_app_tenant_id": TENANT,
        **properties,
    }
    return Bot(
        location="global",
        kind="azurebot",
        sku=Sku(name="F0"),
        tags={"team": "bots"},
        properties=BotProperties(**values),
    )


def test_a_bot_is_created_read_listed_and_deleted(azure: ArmThread, client: Client) -> None:
    """It has what was sent and what the service fills in; lists have it until it is deleted."""
    bots = client("bots").bots
    made = bots.create("bot-group", "contoso-bot", body())
    assert made.properties.endpoint == ENDPOINT
    assert made.properties.msa_app_type == "SingleTenant"
    assert made.properties.configured_channels == ["webchat"]
    assert made.properties.provisioning_state == "Succeeded"
    assert made.tags == {"team": "bots"}
    assert bots.get("bot-group", "CONTOSO-BOT").id == made.id
    assert [each.name for each in bots.list_by_resource_group("bot-group")] == ["contoso-bot"]
    assert [each.name for each in bots.list()] == ["contoso-bot"]
    bots.delete("bot-group", "contoso-bot")
    assert list(bots.list()) == []
    assert azure.arm.resources.of_type("Microsoft.BotService/botServices/channels") == []
    path = "providers/Microsoft.BotService/botServices/contoso-bot"
    assert azure.call("DELETE", path).status_code == 204


def test_the_status_says_what_happened(azure: ArmThread) -> None:
    """A PUT is 201 for a new bot and 200 for a known one; a PATCH is 200."""
    path = "providers/Microsoft.BotService/botServices/contoso-bot"
    sent = body().serialize()
    assert azure.call("PUT", path, sent).status_code == 201
    assert azure.call("PUT", path, sent).status_code == 200
    assert azure.call("PATCH", path, {"properties": {}}).status_code == 200


def test_each_write_makes_a_new_etag(azure: ArmThread) -> None:
    """The etag is in the body and in the header; If-Match does not refuse a write."""
    path = "providers/Microsoft.BotService/botServices/contoso-bot"
    first = azure.call("PUT", path, body().serialize())
    assert first.json()["etag"] == first.headers["ETag"]
    read = azure.call("GET", path)
    assert read.headers["ETag"] == first.headers["ETag"]
    second = azure.call("PATCH", path, {"properties": {"endpoint": ENDPOINT}})
    assert second.headers["ETag"] != first.headers["ETag"]


def test_a_patch_changes_what_it_names(client: Client) -> None:
    """Other properties stay, a null is ignored, and tags are replaced as a whole."""
    bots = client("bots").bots
    made = bots.create("bot-group", "contoso-bot", body(description="Answers"))
    new = "https://contoso-new.azurewebsites.net/api/messages"
    properties = BotProperties(
        display_name="Contoso", endpoint=new, msa_app_id=made.properties.msa_app_id
    )
    changed = bots.update(
        "bot-group", "contoso-bot", tags={"previousEndpoint": ENDPOINT}, properties=properties
    )
    assert changed.properties.endpoint == new
    assert changed.properties.description == "Answers"
    assert changed.tags == {"previousEndpoint": ENDPOINT}
    assert changed.sku.name == "F0"
    assert bots.get("bot-group", "contoso-bot").properties.endpoint == new


IMMUTABLE = {
    "msa_app_type": ("UserAssignedMSI", "MsaAppType"),
    "msa_app_tenant_id": (str(uuid.uuid4()), "MsaAppTenantId"),
    "msa_app_id": (str(uuid.uuid4()), "MsaAppId"),
}


@pytest.mark.parametrize("method", ["create", "update"])
@pytest.mark.parametrize("name", IMMUTABLE)
def test_the_bots_identity_cannot_be_changed(client: Client, name: str, method: str) -> None:
    """Type, tenant and app id stay as they were at the creation, for PUT and PATCH."""
    bots = client("bots").bots
    app_id = str(uuid.uuid4())
    bots.create("bot-group", "contoso-bot", body(app_id))
    value, text = IMMUTABLE[name]
    change = body(app_id)
    setattr(change.properties, name, value)
    sent = {"parameters": change} if method == "create" else {"properties": change.properties}
    with pytest.raises(HttpResponseError) as caught:
        getattr(bots, method)("bot-group", "contoso-bot", **sent)
    status, code, message = raised(caught.value)
    assert (status, code) == (400, "InvalidBotData")
    assert f"'{text}' property cannot be changed." in message
    assert bots.get("bot-group", "contoso-bot").properties.msa_app_id == app_id


def test_an_app_id_belongs_to_one_bot(client: Client) -> None:
    """A second bot with the app id is refused until the first one is deleted."""
    bots = client("bots").bots
    app_id = str(uuid.uuid4())
    bots.create("bot-group", "contoso-bot", body(app_id))
    with pytest.raises(HttpResponseError) as caught:
        bots.create("bot-group", "other-bot", body(app_id.upper()))
    status, code, message = raised(caught.value)
    assert (status, code) == (400, "InvalidBotData")
    assert "MsaAppId is already in use" in message
    bots.delete("bot-group", "contoso-bot")
    assert bots.create("bot-group", "other-bot", body(app_id)).name == "other-bot"


def test_new_multi_tenant_bots_are_refused(azure: ArmThread, client: Client) -> None:
    """Without a type, a bot would be multi-tenant, too; older ones exist and can be changed."""
    bots = client("bots").bots
    for kind in ("MultiTenant", None):
        with pytest.raises(HttpResponseError) as caught:
            bots.create("bot-group", "contoso-bot", body(msa_app_type=kind))
        assert raised(caught.value) == (
            400,
            "InvalidBotCreationData",
            "Multitenant bot creation is deprecated. Please use SingleTenant or UserAssignedMSI",
        )
    azure.arm.tenant.accepts_multi_tenant = True
    made = body(msa_app_type="MultiTenant", msa_app_tenant_id=None)
    bots.create("bot-group", "contoso-bot", made)
    azure.arm.tenant.accepts_multi_tenant = False
    made.properties.description = "Answers"
    changed = bots.update("bot-group", "contoso-bot", properties=made.properties)
    assert changed.properties.msa_app_type == "MultiTenant"
    assert changed.properties.description == "Answers"


INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"display_name": None}, "displayName"),
    "no endpoint": ({"endpoint": None}, "endpoint"),
    "endpoint without TLS": ({"endpoint": "http://contoso.com/api/messages"}, "https"),
    "unknown identity": (
        {"msa_app_type": "UserAssignedMSI", "msa_app_msi_resource_id": "/subscriptions/S"},
        "MsaAppMSIResourceId",
    ),
    "no tenant": ({"msa_app_tenant_id": None}, "MsaAppTenantId"),
    "no identity": ({"msa_app_type": "UserAssignedMSI"}, "MsaAppMSIResourceId"),
    "no GUID": ({"msa_app_id": "contoso"}, "MsaAppId"),
}


@pytest.mark.parametrize(("properties", "text"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_bot_is_refused(
    client: Client, properties: dict[str, Any], text: str
) -> None:
    """The refusal names the property."""
    with pytest.raises(HttpResponseError) as caught:
        client("bots").bots.create("bot-group", "contoso-bot", body(**properties))
    assert raised(caught.value)[:2] == (400, "InvalidBotData")
    assert text in raised(caught.value)[2]


def test_a_bot_with_a_managed_identity(azure: ArmThread, client: Client) -> None:
    """Its id is the client id of the identity that it names, and of no other."""
    bots, kind = client("bots").bots, "Microsoft.ManagedIdentity/userAssignedIdentities"
    first, second = (
        azure.arm.put(azure.resource_id(kind, name), {"location": "westeurope"})
        for name in ("first", "second")
    )
    identity = {"msa_app_type": "UserAssignedMSI", "msa_app_msi_resource_id": first.id}
    with pytest.raises(HttpResponseError) as caught:
        bots.create("bot-group", "contoso-bot", body(second.properties["clientId"], **identity))
    assert raised(caught.value)[:2] == (400, "InvalidBotData")
    made = bots.create("bot-group", "contoso-bot", body(first.properties["clientId"], **identity))
    assert made.properties.msa_app_msi_resource_id == first.id


def test_a_put_replaces_what_it_leaves_out(client: Client) -> None:
    """Description and tags that a PUT does not have are gone; the identity stays."""
    bots = client("bots").bots
    app_id = str(uuid.uuid4())
    bots.create("bot-group", "contoso-bot", body(app_id, description="Answers"))
    again = body(app_id, msa_app_type=None)
    again.tags = None
    made = bots.create("bot-group", "contoso-bot", again)
    assert (made.properties.description, made.tags) == (None, {})
    assert made.properties.msa_app_type == "SingleTenant"


def test_a_patch_may_have_to_repeat_the_identity(azure: ArmThread, client: Client) -> None:
    """With the switch, a PATCH without displayName and msaAppId is refused."""
    made = client("bots").bots.create("bot-group", "contoso-bot", body())
    path = "providers/Microsoft.BotService/botServices/contoso-bot"
    assert azure.call("PATCH", path, {"tags": {}}).status_code == 200
    azure.arm.tenant.patch_needs_identity = True
    assert refusal(azure.call("PATCH", path, {"tags": {}})) == (400, "InvalidBotData")
    complete = {"displayName": "Contoso", "msaAppId": made.properties.msa_app_id}
    assert azure.call("PATCH", path, {"tags": {}, "properties": complete}).status_code == 200


def test_a_name_is_unique_in_all_of_azure(azure: ArmThread, client: Client) -> None:
    """`checkNameAvailability` says so, and a PUT refuses the name in another group."""
    bots = client("bots").bots
    assert bots.get_check_name_availability({"name": "contoso-bot", "type": "azurebot"}).valid
    bots.create("bot-group", "contoso-bot", body())
    taken = bots.get_check_name_availability({"name": "Contoso-Bot", "type": "azurebot"})
    assert taken.valid is False
    assert "already registered" in taken.message
    other = azure.group_id.replace("bot-group", "other")
    azure.arm.put(other, {"location": "westeurope"})
    path = f"{other}/providers/Microsoft.BotService/botServices/contoso-bot"
    refused = azure.call("PUT", path, body().serialize())
    assert refusal(refused) == (400, "InvalidBotData")
    assert azure.call("GET", path).status_code == 404


def test_a_secret_is_not_returned(client: Client) -> None:
    """An Application Insights key that was sent is only said to be set."""
    bots = client("bots").bots
    made = bots.create("bot-group", "contoso-bot", body(developer_app_insights_api_key="secret"))
    assert made.properties.developer_app_insights_api_key is None
    assert made.properties.is_developer_app_insights_api_key_set is True


def test_the_hook_is_called(azure: ArmThread, client: Client) -> None:
    """Creation, change and deletion of a bot are reported to whoever listens."""
    seen: list[tuple[str, bool]] = []
    azure.arm.on_bot_change = lambda bot: seen.append((bot.name, bot.id in azure.arm.resources))
    bots = client("bots").bots
    made = bots.create("bot-group", "contoso-bot", body())
    bots.update("bot-group", "contoso-bot", properties=made.properties)
    bots.delete("bot-group", "contoso-bot")
    assert seen == [("contoso-bot", True), ("contoso-bot", True), ("contoso-bot", False)]
