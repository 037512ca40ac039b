"""Which channels are copied, with what, and what is the owner's to do."""

import pytest

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.managed_identity.channels import leftovers, missing_copies


def channel(name: str, **settings: object) -> JsonObject:
    """A channel resource as Azure returns it."""
    return {
        "id": f"/subscriptions/s/botServices/b/channels/{name}",
        "name": f"b/{name}",
        "etag": "x",
        "properties": {
            "channelName": name,
            "provisioningState": "Succeeded",
            "etag": "x",
            "location": "global",
            "properties": settings,
        },
    }


def site(name: str) -> JsonObject:
    """A Direct Line site as Azure returns it."""
    return {
        "siteId": "1",
        "siteName": name,
        "key": "a-key",
        "key2": "another-key",
        "eTag": "x",
        "appId": "y",
        "tenantId": "z",
        "isTokenEnabled": True,
        "isEnabled": True,
        "isV3Enabled": True,
        "trustedOrigins": ["https://contoso.com"],
        "isSecureSiteEnabled": True,
    }


COPIED_SITE = {
    "isEnabled": True,
    "isV3Enabled": True,
    "isSecureSiteEnabled": True,
    "trustedOrigins": ["https://contoso.com"],
}


def test_teams() -> None:
    """Its calling fields are copied, and the terms are accepted, even if nobody has before."""
    old = channel(
        "MsTeamsChannel",
        isEnabled=True,
        enableCalling=True,
        callingWebhook="https://old.contoso.com/calls",
        incomingCallRoute="graphPma",
        deploymentEnvironment="CommercialDeployment",
        acceptedTerms=None,
        unknown="x",
    )
    (copy,) = missing_copies([old], [])
    assert copy.body == {
        "location": "global",
        "properties": {
            "channelName": "MsTeamsChannel",
            "properties": {
                "isEnabled": True,
                "enableCalling": True,
                "callingWebhook": "https://old.contoso.com/calls",
                "incomingCallRoute": "graphPma",
                "deploymentEnvironment": "CommercialDeployment",
                "acceptedTerms": True,
            },
        },
    }
    assert "the calling webhook" in leftovers([old], "old.contoso.com")[0]
    assert leftovers([old], "elsewhere.contoso.com") == []


def test_teams_is_there() -> None:
    """A channel with the same settings is not written; one without accepted terms is."""
    old = channel("MsTeamsChannel", isEnabled=True)
    assert missing_copies([old], [channel("MsTeamsChannel", isEnabled=True)])
    same = channel("MsTeamsChannel", isEnabled=True, acceptedTerms=True, enableCalling=False)
    assert missing_copies([old], [same]) == []


def test_direct_line() -> None:
    """Its sites are copied without keys, ids and states; those of the new bot stay."""
    old = channel("DirectLineChannel", sites=[site("Default Site"), site("shop")])
    new = channel("DirectLineChannel", sites=[{"siteName": "Default Site", "isEnabled": False}])
    (copy,) = missing_copies([old], [new])
    assert copy.body["properties"]["properties"] == {
        "sites": [
            {"siteName": "Default Site", "isEnabled": False},
            {"siteName": "shop", **COPIED_SITE},
        ]
    }
    assert missing_copies([old], [old]) == []
    (line,) = leftovers([old], "")
    assert "Default Site, shop" in line


@pytest.mark.parametrize("name", ["Omnichannel", "OutlookChannel", "M365Extensions"])
def test_without_settings(name: str) -> None:
    """A channel that is nothing but a name is added."""
    (copy,) = missing_copies([channel(name)], [])
    assert copy.body == {"location": "global", "properties": {"channelName": name}}
    assert missing_copies([channel(name)], [channel(name)]) == []
    assert leftovers([channel(name)], "") == []


@pytest.mark.parametrize("name", ["SlackChannel", "EmailChannel", "TelegramChannel", "NewChannel"])
def test_with_credentials(name: str) -> None:
    """A channel whose credentials cannot be read is named."""
    assert missing_copies([channel(name, clientId="x")], []) == []
    (line,) = leftovers([channel(name)], "")
    assert line.startswith(f"{name}: its credentials cannot be read")


def test_web_chat() -> None:
    """It exists from the start, with new keys."""
    assert missing_copies([channel("WebChatChannel", sites=[site("Default Site")])], []) == []
    (line,) = leftovers([channel("WebChatChannel")], "")
    assert "new keys" in line
