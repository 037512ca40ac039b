"""A tag of an Azure Bot, in which a command remembers something for the next one."""

from admin.migrate.change import Change
from admin.migrate.shell import az, quoted
from admin.migrate.switch.moved_endpoint import repeated, tags_of
from admin.migrate.target import Target


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
    options: dict[str, str | None] = {
        "--subscription": resource.subscription,
        "--resource-group": resource.resource_group,
        "--name": resource.name,
    }
    pairs = " ".join(
        quoted(f"{key}={text}") for key, text in (tags | {name: pasted or value}).items()
    )
    return Change(
        method="PATCH",
        url=target.azure.arm.url(resource.id),
        body={"tags": tags, "properties": repeated(bot)},
        summary=summary,
        az=(f"{az('bot update', options)} --tags {pairs}",),
    )
