"""The Azure Bot: its type, and its tags, in which a command leaves something for the next one."""

from collections.abc import Mapping

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import Target, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

NO_REGISTRATION = (
    "a bot of type UserAssignedMSI has no app registration: it signs in with its managed identity,"
    " and has no secret. There is nothing to migrate"
)

_REPEATED = (
    "displayName",
    "msaAppId",
    "msaAppType",
    "msaAppTenantId",
    "msaAppMSIResourceId",
)
"""Properties that a PATCH must or may repeat: the schema requires the first two; the others are
immutable, and a service that took their absence for a default would refuse the change."""


def bot_type(target: Target, refusals: Mapping[str, str]) -> Finding:
    """The Azure Bot's type, which no command changes, is one for which there is a route to another
    credential.

    Args:
        target: has the bot.
        refusals: why further types are refused, and what to do, by type.
    """
    bot = target.bot()
    found = type_of(bot)
    text = f"the bot's type is {found}, and its id {bot['properties']['msaAppId']}"
    return Finding(text, refusal={USER_ASSIGNED_MSI: NO_REGISTRATION, **refusals}.get(found, ""))


def tags_of(bot: JsonObject) -> dict[str, str]:
    """The tags of an Azure Bot."""
    return dict(bot.get("tags") or {})


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
    return bot_change(target, target.bot(), {name: value}, summary, pasted={name: pasted or value})


def bot_change(
    target: Target,
    bot: JsonObject,
    tags: Mapping[str, str],
    summary: str,
    *,
    pasted: Mapping[str, str] | None = None,
    endpoint: str = "",
) -> Change:
    """The change that sets tags of a bot, and keeps its other tags and its properties.

    Args:
        target: has the bot.
        bot: as it is now.
        tags: by their names.
        summary: for the plan.
        pasted: tags whose values for the shell differ.
        endpoint: the bot's new endpoint (URL); empty: it keeps its own.
    """
    resource, properties = target.bot_id, bot["properties"]
    moved = {"endpoint": endpoint} if endpoint else {}
    repeated = {name: properties[name] for name in _REPEATED if properties.get(name)}
    options = {**resource.az_options, **({"--endpoint": endpoint} if endpoint else {})}
    merged = {**tags_of(bot), **tags}
    pairs = " ".join(quoted(f"{key}={text}") for key, text in {**merged, **(pasted or {})}.items())
    return Change(
        method="PATCH",
        url=target.azure.arm.url(resource.id),
        body={"tags": merged, "properties": {**repeated, **moved}},
        summary=summary,
        az=(f"{az('bot update', options)} --tags {pairs}",),
    )
