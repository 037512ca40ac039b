"""Channels of Azure Bots, through azure-mgmt-botservice."""

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.botservice.models import (
    BotChannel,
    DirectLineChannel,
    DirectLineChannelProperties,
    DirectLineSite,
    MsTeamsChannel,
    MsTeamsChannelProperties,
    SlackChannel,
    SlackChannelProperties,
)

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal

PATH = "providers/Microsoft.BotService/botServices/contoso-bot"


@pytest.fixture
def bot(azure: ArmThread) -> str:
    """A new bot's path in the tests' group."""
    add_bot(azure, "contoso-bot")
    return PATH


def add_bot(azure: ArmThread, name: str) -> None:
    """Create a bot."""
    properties = {
        "displayName": "Contoso",
        "endpoint": "",
        "msaAppId": str(uuid.uuid4()),
        "msaAppType": "SingleTenant",
        "msaAppTenantId": azure.arm.tenant_id,
    }
    bot_id = azure.resource_id("Microsoft.BotService/botServices", name)
    azure.arm.put(bot_id, {"location": "global", "properties": properties})


def teams(**properties: Any) -> Any:
    """The Teams channel as the SDK sends it."""
    return BotChannel(
        location="global",
        properties=MsTeamsChannel(
            properties=MsTeamsChannelProperties(is_enabled=True, **properties)
        ),
    )


@pytest.mark.usefixtures("bot")
def test_a_new_bot_has_two_channels(client: Client) -> None:
    """Web Chat and Direct Line exist from the creation."""
    channels = client("bots").channels
    listed = {each.name for each in channels.list_by_resource_group("bot-group", "contoso-bot")}
    assert listed == {"contoso-bot/WebChatChannel", "contoso-bot/DirectLineChannel"}


@pytest.mark.usefixtures("bot")
def test_teams_is_added_changed_and_removed(client: Client) -> None:
    """A configured channel is among the bot's, until it is deleted."""
    bots = client("bots")
    made = bots.channels.create(
        "bot-group", "contoso-bot", "MsTeamsChannel", teams(accepted_terms=True)
    )
    assert made.properties.properties.accepted_terms is True
    assert made.properties.provisioning_state == "Succeeded"
    configured = bots.bots.get("bot-group", "contoso-bot").properties.configured_channels
    assert configured == ["webchat", "msteams"]
    read = bots.channels.get("bot-group", "contoso-bot", "MsTeamsChannel")
    assert read.properties.properties.is_enabled is True
    bots.channels.delete("bot-group", "contoso-bot", "MsTeamsChannel")
    with pytest.raises(HttpResponseError) as caught:
        bots.channels.get("bot-group", "contoso-bot", "MsTeamsChannel")
    assert raised(caught.value)[:2] == (404, "ResourceNotFound")
    configured = bots.bots.get("bot-group", "contoso-bot").properties.configured_channels
    assert configured == ["webchat"]


@pytest.mark.usefixtures("bot")
def test_keys_are_returned_on_request_only(client: Client) -> None:
    """A GET and a list have empty keys; `listChannelWithKeys` has them."""
    channels = client("bots").channels
    (site,) = channels.get(
        "bot-group", "contoso-bot", "DirectLineChannel"
    ).properties.properties.sites
    assert site.key == site.key2 == ""
    found = channels.list_with_keys("bot-group", "contoso-bot", "DirectLineChannel")
    (secret,) = found.properties.properties.sites
    assert secret.site_id == site.site_id
    assert secret.key.startswith(f"{site.site_id}.")
    assert secret.key != secret.key2


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(("name", "changed"), [("key1", "key"), ("key2", "key2")])
def test_a_key_is_made_anew(client: Client, name: str, changed: str) -> None:
    """The one that is named; the site and its other key stay."""
    bots, of_bot = client("bots"), ("bot-group", "contoso-bot", "DirectLineChannel")
    before = bots.channels.list_with_keys(*of_bot).properties.properties.sites[0].as_dict()
    body = {"key": name, "siteName": "Default Site"}
    answer = bots.direct_line.regenerate_keys(*of_bot, body).properties.properties.sites[0]
    after = bots.channels.list_with_keys(*of_bot).properties.properties.sites[0].as_dict()
    assert answer.as_dict() == after
    assert [key for key in before if before[key] != after[key]] == [changed]
    for wrong in ({"siteName": "Other"}, {"key": "key3"}):
        with pytest.raises(HttpResponseError) as caught:
            bots.direct_line.regenerate_keys(*of_bot, {**body, **wrong})
        assert raised(caught.value)[:2] == (400, "InvalidChannelData")


def test_read_only_fields_of_a_put_are_ignored(azure: ArmThread, bot: str) -> None:
    """Ids and keys of another bot's site do not come along; a site keeps its own."""
    add_bot(azure, "other-bot")
    other = azure.call(
        "POST", f"{PATH[:-11]}other-bot/channels/DirectLineChannel/listChannelWithKeys"
    )
    copied = other.json()["properties"]
    own = azure.call("POST", f"{bot}/channels/DirectLineChannel/listChannelWithKeys").json()
    put = azure.call(
        "PUT",
        f"{bot}/channels/DirectLineChannel",
        {"location": "global", "etag": 'W/"old"', "properties": copied},
    )
    assert put.status_code == 200
    (before,) = own["properties"]["properties"]["sites"]
    (after,) = put.json()["properties"]["properties"]["sites"]
    (foreign,) = copied["properties"]["sites"]
    assert (after["siteId"], after["key"]) == (before["siteId"], before["key"])
    assert after["key"] != foreign["key"]


@pytest.mark.usefixtures("bot")
def test_sites_are_added_and_changed_by_name(client: Client) -> None:
    """A PUT replaces the list of sites; a new one gets an id and keys."""
    channels = client("bots").channels
    sites = [
        DirectLineSite(site_name=name, is_enabled=True, is_v1_enabled=True, is_v3_enabled=True)
        for name in ("Default Site", "Kiosk")
    ]
    sites[1].trusted_origins = ["https://contoso.com"]
    channel = BotChannel(
        location="global",
        properties=DirectLineChannel(properties=DirectLineChannelProperties(sites=sites)),
    )
    made = channels.create("bot-group", "contoso-bot", "DirectLineChannel", channel)
    first, second = made.properties.properties.sites
    assert (first.site_name, second.site_name) == ("Default Site", "Kiosk")
    assert second.trusted_origins == ["https://contoso.com"]
    assert first.site_id != second.site_id
    assert second.key


@pytest.mark.usefixtures("bot")
def test_a_channels_secrets_are_not_readable(client: Client) -> None:
    """Slack's client secret is returned with the keys only."""
    channels = client("bots").channels
    properties = SlackChannelProperties(
        client_id="1", client_secret="hidden", verification_token="v", is_enabled=True
    )
    slack = BotChannel(location="global", properties=SlackChannel(properties=properties))
    channels.create("bot-group", "contoso-bot", "SlackChannel", slack)
    read = channels.get("bot-group", "contoso-bot", "SlackChannel").properties.properties
    assert read.client_id == "1"
    assert read.client_secret is None
    found = channels.list_with_keys("bot-group", "contoso-bot", "SlackChannel")
    assert found.properties.properties.client_secret == "hidden"


def test_an_unknown_channel_is_refused(azure: ArmThread, bot: str) -> None:
    """A name that no channel has, and one that the body contradicts, are 400."""
    channel = {"location": "global", "properties": {"channelName": "MsTeamsChannel"}}
    refused = azure.call("PUT", f"{bot}/channels/ContosoChannel", channel)
    assert refusal(refused) == (400, "InvalidChannelName")
    refused = azure.call("PUT", f"{bot}/channels/SlackChannel", channel)
    assert refusal(refused) == (400, "InvalidChannelData")
    missing = azure.call("PUT", f"{PATH[:-11]}missing/channels/MsTeamsChannel", channel)
    assert refusal(missing) == (404, "ParentResourceNotFound")


def test_a_channel_has_an_etag_in_three_places(azure: ArmThread, bot: str) -> None:
    """In the header, in the body and in its properties; each PUT makes a new one."""
    path = f"{bot}/channels/MsTeamsChannel"
    channel = {"location": "global", "properties": {"channelName": "MsTeamsChannel"}}
    first = azure.call("PUT", path, channel)
    assert first.status_code == 201
    assert first.headers["ETag"] == first.json()["etag"] == first.json()["properties"]["etag"]
    second = azure.call("PUT", path, channel)
    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]
