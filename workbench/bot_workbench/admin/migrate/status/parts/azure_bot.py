"""AzureBotStatus: the Azure Bot, its channels and its OAuth connections."""

from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.status.parts.part import Part, read
from bot_workbench.admin.plan.target import Target, endpoint_of, type_of


@dataclass(frozen=True)
class AzureBotStatus:
    """An Azure Bot.

    Attributes:
        name: its name.
        id: resource id.
        type: SingleTenant, MultiTenant or UserAssignedMSI.
        app_id: the bot's id (GUID).
        tenant_id: its tenant (GUID); may be empty.
        endpoint: URL.
        sku: such as "F0".
        tags: all of them.
        channels: names of the configured channels.
        connections: names of the OAuth connections.
    """

    name: str
    id: str
    type: str
    app_id: str
    tenant_id: str
    endpoint: str
    sku: str
    tags: dict[str, str]
    channels: Part[list[str]]
    connections: Part[list[str]]


def read_bot(target: Target) -> AzureBotStatus:
    """The bot of the command line.

    Raises:
        AzureProblem: the bot itself cannot be read.
    """
    bot = target.bot()
    properties = bot["properties"]
    return AzureBotStatus(
        name=target.bot_id.name,
        id=target.bot_id.id,
        type=type_of(bot),
        app_id=str(properties["msaAppId"]),
        tenant_id=str(properties.get("msaAppTenantId") or ""),
        endpoint=endpoint_of(bot),
        sku=str((bot.get("sku") or {}).get("name") or ""),
        tags=dict(bot.get("tags") or {}),
        channels=read(lambda: _names(target, "channels")),
        connections=read(lambda: _names(target, "connections")),
    )


def _names(target: Target, children: str) -> list[str]:
    found = target.azure.arm.pages(f"{target.bot_id.id}/{children}")
    return sorted(_name(one) for one in found)


def _name(child: JsonObject) -> str:
    """A child's own name: Azure writes "BOT/CHILD"."""
    return str(child.get("name") or child["id"]).rsplit("/", 1)[-1]
