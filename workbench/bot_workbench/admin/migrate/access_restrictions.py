"""Access restrictions of an app, seen from a bot's channels.

Microsoft reference: "Azure App Service access restrictions".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from bot_workbench.admin.azure.cloud import PUBLIC, ManagementCloud
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import CHANNEL_ADDRESSES, TEAMS_RANGES
from bot_workbench.admin.migrate.managed_identity.channels import TEAMS as TEAMS_CHANNEL
from bot_workbench.admin.plan.shell import quoted

_ANY = IPv4Network("0.0.0.0/0")
_LAST = 2**31 - 1
"""The priority of Azure's own last rule."""


@dataclass(frozen=True)
class Callers:
    """Who calls a bot.

    Attributes:
        tags: service tags, in lower case, that contain some of their addresses; the names of
            regional tags, such as AzureCloud.westeurope, start with these.
        ranges: the public ranges in which their addresses are.
        cure: the rules that admit them.
    """

    tags: tuple[str, ...]
    ranges: tuple[IPv4Network, ...]
    cure: str


CHANNELS = Callers(
    tags=("azurebotservice", "azurecloud"),
    ranges=(_ANY,),
    cure=CHANNEL_ADDRESSES,
)
"""Any channel."""

TEAMS = Callers(
    tags=("azurecloud",),
    ranges=tuple(map(IPv4Network, TEAMS_RANGES)),
    cure=f"the addresses of Teams, {' and '.join(TEAMS_RANGES)}, which are not in the service tag"
    " AzureBotService",
)
"""Teams of the public cloud, which calls bots itself."""


def callers_of(cloud: ManagementCloud, names: Iterable[str]) -> tuple[Callers, ...]:
    """Who must reach a bot with these channels. Teams of other clouds has other ranges, which are
    not checked.

    Args:
        cloud: the bot's.
        names: the channels', such as "MsTeamsChannel".
    """
    return (CHANNELS, TEAMS) if cloud is PUBLIC and TEAMS_CHANNEL in names else (CHANNELS,)


def barrier(site: JsonObject, web: JsonObject, callers: Callers) -> str:
    """The barrier between callers and an app, and the cure; empty: nothing that can be seen.

    Args:
        site: the app's resource.
        web: its configuration `config/web`.
        callers: who must be admitted.
    """
    for resource in (site, web):
        if str(resource["properties"].get("publicNetworkAccess") or "").lower() == "disabled":
            return (
                "public network access to it is disabled: enable it (`az resource update --ids"
                f" {quoted(resource['id'])} --set properties.publicNetworkAccess=Enabled`)"
            )
    if admits(web["properties"], callers):
        return ""
    return (
        f"its access restrictions keep them out: admit {callers.cure} (`az functionapp config"
        " access-restriction add`)"
    )


def admits(configuration: JsonObject, callers: Callers) -> bool:
    """Whether the rules admit callers; also True if they admit only some of their addresses.

    Args:
        configuration: the properties of the app's `config/web`.
        callers: who calls.
    """
    rules = configuration.get("ipSecurityRestrictions") or ()
    ranges = set(callers.ranges)
    for rule in sorted(
        filter(_is_public, rules), key=lambda one: int(one.get("priority") or _LAST)
    ):
        if str(rule.get("action") or "").lower() == "deny":
            ranges -= {each for each in ranges if any(map(each.subnet_of, _networks(rule)))}
        elif ranges and _matches(rule, callers.tags, ranges):
            return True
    unmatched = configuration.get("ipSecurityRestrictionsDefaultAction") or (
        "Deny" if rules else "Allow"
    )
    return bool(ranges) and str(unmatched).lower() == "allow"


def _is_public(rule: JsonObject) -> bool:
    """Whether a rule can apply to channels: they call from public addresses, not from your virtual
    network, and without the headers of a gateway such as Front Door."""
    return not rule.get("vnetSubnetResourceId") and not rule.get("headers")


def _matches(rule: JsonObject, tags: tuple[str, ...], ranges: set[IPv4Network]) -> bool:
    """Whether a rule is about some of the callers. A single address never belongs to a channel."""
    return any(source.startswith(tags) for source in _sources(rule)) or any(
        network.num_addresses > 1
        and (network.is_global or network == _ANY)
        and any(map(network.overlaps, ranges))
        for network in _networks(rule)
    )


def _networks(rule: JsonObject) -> Iterator[IPv4Network]:
    mask = f"/{rule['subnetMask']}" if rule.get("subnetMask") else ""
    for source in _sources(rule):
        try:
            yield _ANY if source == "any" else IPv4Network(f"{source}{mask}", strict=False)
        except ValueError:  # a service tag, an IPv6 range, or AnyVnets
            continue


def _sources(rule: JsonObject) -> set[str]:
    """A rule's addresses or service tags, in lower case; it has up to eight."""
    return {one.strip().lower() for one in str(rule.get("ipAddress") or "any").split(",")}
