"""OAuth connections of Azure Bots, through azure-mgmt-botservice."""

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.botservice.models import (
    ConnectionSetting,
    ConnectionSettingParameter,
    ConnectionSettingProperties,
)

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised

ENTRA_ID = "30dd229c-58e3-4a48-bdfd-91ec48eb906c"
CLIENT_ID = str(uuid.uuid4())


@pytest.fixture(autouse=True)
def bot(azure: ArmThread) -> None:
    """The bot that has connections."""
    properties = {
        "displayName": "Contoso",
        "endpoint": "",
        "msaAppId": str(uuid.uuid4()),
        "msaAppType": "SingleTenant",
        "msaAppTenantId": azure.arm.tenant_id,
    }
    bot_id = azure.resource_id("Microsoft.BotService/botServices", "contoso-bot")
    azure.arm.put(bot_id, {"location": "global", "properties": properties})


def connection(provider: str = ENTRA_ID) -> Any:
    """A connection as the SDK sends it."""
    return ConnectionSetting(
        location="global",
        properties=ConnectionSettingProperties(
            client_id=CLIENT_ID,
            client_secret="hidden",
            scopes="User.Read",
            service_provider_id=provider,
            parameters=[ConnectionSettingParameter(key="tenantId", value="common")],
        ),
    )


def test_a_connection_is_created_read_listed_and_deleted(client: Client) -> None:
    """It has its provider's name and what was sent, without the secret."""
    connections = client("bots").bot_connection
    made = connections.create("bot-group", "contoso-bot", "bot-sign-in", connection())
    assert made.name == "contoso-bot/bot-sign-in"
    assert made.properties.service_provider_display_name == "Azure Active Directory v2"
    read = connections.get("bot-group", "contoso-bot", "bot-sign-in").properties
    assert read.client_id == CLIENT_ID
    assert read.scopes == "User.Read"
    assert read.client_secret is None
    assert [each.key for each in read.parameters] == ["tenantId"]
    listed = connections.list_by_bot_service("bot-group", "contoso-bot")
    assert [each.properties.client_secret for each in listed] == [None]
    connections.delete("bot-group", "contoso-bot", "bot-sign-in")
    assert list(connections.list_by_bot_service("bot-group", "contoso-bot")) == []


def test_the_secret_is_returned_on_request_only(client: Client) -> None:
    """`listWithSecrets` has it, and no other response."""
    connections = client("bots").bot_connection
    connections.create("bot-group", "contoso-bot", "bot-sign-in", connection())
    found = connections.list_with_secrets("bot-group", "contoso-bot", "bot-sign-in")
    assert found.properties.client_secret == "hidden"


def test_a_change_without_the_secret_keeps_it(client: Client) -> None:
    """A PUT that sends no secret leaves the old one."""
    connections = client("bots").bot_connection
    first = connections.create("bot-group", "contoso-bot", "bot-sign-in", connection())
    changed = connection()
    changed.properties.client_secret = None
    changed.properties.scopes = "Mail.Read"
    second = connections.create("bot-group", "contoso-bot", "bot-sign-in", changed)
    assert second.properties.setting_id == first.properties.setting_id
    found = connections.list_with_secrets("bot-group", "contoso-bot", "bot-sign-in").properties
    assert (found.scopes, found.client_secret) == ("Mail.Read", "hidden")


def test_a_connection_needs_a_provider(client: Client) -> None:
    """Without a provider it is refused."""
    with pytest.raises(HttpResponseError) as caught:
        client("bots").bot_connection.create(
            "bot-group", "contoso-bot", "bot-sign-in", connection("")
        )
    assert raised(caught.value)[:2] == (400, "InvalidConnectionSettings")


def test_the_providers_are_listed(client: Client) -> None:
    """By id, which a connection names."""
    found = client("bots").bot_connection.list_service_providers()
    assert ENTRA_ID in {each.properties.id for each in found.value}


@pytest.mark.parametrize("parameter", [{"value": "a"}, {"key": 1, "value": "a"}])
def test_a_parameter_needs_a_key(azure: ArmThread, parameter: dict[str, Any]) -> None:
    """One without a key, or with one that is no text, is refused."""
    path = "providers/Microsoft.BotService/botServices/contoso-bot/connections/graph"
    properties = {"serviceProviderId": ENTRA_ID, "parameters": [parameter]}
    sent = {"location": "global", "properties": properties}
    assert azure.call("PUT", path, sent).status_code == 400


def test_a_parameter_may_have_no_value(azure: ArmThread) -> None:
    """It is shown without one, even if its key is a secret's."""
    path = "providers/Microsoft.BotService/botServices/contoso-bot/connections/graph"
    parameters = [{"key": "tenantId"}, {"key": "secondSecret"}]
    properties = {"serviceProviderId": ENTRA_ID, "parameters": parameters}
    assert azure.call("PUT", path, {"properties": properties}).status_code == 201
    listed = azure.call("POST", f"{path}/listWithSecrets").json()["properties"]["parameters"]
    assert [each["value"] for each in listed[:2]] == [None, None]
