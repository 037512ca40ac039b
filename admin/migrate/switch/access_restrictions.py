"""Access restrictions of an app, seen from the channels.

Microsoft reference: "Azure App Service access restrictions".
"""

import ipaddress

from admin.azure.json_object import JsonObject

CHANNEL_TAGS = ("AzureBotService", "AzureCloud")
"""Service tags, or the beginnings of their regional names, that hold the channels' addresses."""

CURE = (
    "admit the service tag AzureBotService, and for Teams 52.112.0.0/14 and 52.122.0.0/15 (`az"
    " functionapp config access-restriction add`)"
)
"""What to do. Teams calls a bot from addresses of its own."""

_LAST = 2**31 - 1
"""The priority of Azure's own last rule."""


def admits_channels(configuration: JsonObject) -> bool:
    """Whether a channel may reach an app; True, too, if that cannot be known.

    Args:
        configuration: the properties of the app's `config/web`.
    """
    if str(configuration.get("publicNetworkAccess") or "").lower() == "disabled":
        return False
    rules = configuration.get("ipSecurityRestrictions") or ()
    for rule in sorted(rules, key=lambda one: int(one.get("priority") or _LAST)):
        if str(rule.get("action") or "").lower() != "deny":
            if _may_match(rule):
                return True
        elif _sources(rule) & {"any", "0.0.0.0/0"}:
            return False
    unmatched = configuration.get("ipSecurityRestrictionsDefaultAction") or (
        "Deny" if rules else "Allow"
    )
    return str(unmatched).lower() == "allow"


def _may_match(rule: JsonObject) -> bool:
    """Whether a channel's call may match a rule. Channels have ranges of public addresses, no
    virtual network of yours, and send no gateway's headers."""
    if rule.get("vnetSubnetResourceId") or rule.get("headers"):
        return False
    if str(rule.get("tag") or "").lower() == "servicetag":
        tags = tuple(tag.lower() for tag in CHANNEL_TAGS)
        return any(source.startswith(tags) for source in _sources(rule))
    mask = f"/{rule['subnetMask']}" if rule.get("subnetMask") else ""
    return any(_is_public_range(f"{source}{mask}") for source in _sources(rule))


def _sources(rule: JsonObject) -> set[str]:
    """What a rule is about, in lower case: one rule has up to eight addresses or tags."""
    return {one.strip().lower() for one in str(rule.get("ipAddress") or "any").split(",")}


def _is_public_range(source: str) -> bool:
    try:
        network = ipaddress.ip_network(source, strict=False)
    except ValueError:
        return True  # "Any"
    return network.num_addresses > 1 and (network.is_global or network.prefixlen == 0)
