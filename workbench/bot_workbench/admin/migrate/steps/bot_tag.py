"""The tags of an Azure Bot, in which a command remembers something for the next one."""

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.target import Target

_REPEATED = (
    "displayName",
    "msaAppId",
    "msaAppType",
    "msaAppTenantId",
    "msaAppMSIResourceId",
)
"""Properties that a PATCH must or may repeat: the schema requires the first two; the others are
immutable, and a service that took their absence for a default would refuse the change."""


def tags_of(bot: JsonObject) -> dict[str, str]:
    """The tags of an Azure Bot."""
    return dict(bot.get("tags") or {})


def repeated(bot: JsonObject) -> JsonObject:
    """The properties of an Azure Bot that every PATCH repeats."""
    return {name: bot["properties"][name] for name in _REPEATED if bot["properties"].get(name)}


def tag_change(target: Target, name: str, value: str, summary: str, pasted: str = "") -> Change:
    """The change that sets one tag of a bot, and keeps its other tags and properties.

    Args:
        target: has the bot.
        name: of the tag.
        value: of the tag.
        summary: for the plan.
        pasted: the value for the shell, such as "$SINCE"; empty: the same.

    Raises:
        AzureProblem: the bot cannot be read.
    """
    bot, resource = target.bot(), target.bot_id
    tags = {**tags_of(bot), name: value}
    pairs = " ".join(
        quoted(f"{key}={text}") for key, text in (tags | {name: pasted or value}).items()
    )
    return Change(
        method="PATCH",
        url=target.azure.arm.url(resource.id),
        body={"tags": tags, "properties": repeated(bot)},
        summary=summary,
        az=(f"{az('bot update', resource.az_options)} --tags {pairs}",),
    )
