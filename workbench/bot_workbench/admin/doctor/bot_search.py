"""Finds the bot of the command line: by its name, by its app's, or as the only one."""

from dataclasses import replace

from bot_workbench.admin.azure.arm_client import BOT, SITE, ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Ambiguous, UnknownName
from bot_workbench.admin.azure.resources import (
    ResourceId,
    answers_at,
    find_resource,
    find_resources,
)
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.target import Target, endpoint_of


def find_bot(azure: AzureClients, options: Options) -> Target:
    """The bot to look at.

    Args:
        azure: the clients.
        options: the command line; the bot's name may be empty.

    Raises:
        UnknownName: there is none.
        Ambiguous: there are several; the text lists them.
        AzureProblem: the resources cannot be listed or read.
    """
    if options.bot:
        return Target(azure, options)
    group, subscription = options.resource_group, options.subscription
    found = find_resources(azure.arm, BOT, "", group, subscription)
    if options.app:
        found = _at_app(azure.arm, found, options.app)
    if not found:
        where = f" whose endpoint is at the app {options.app}" if options.app else ""
        raise UnknownName(f"your account sees no Azure Bot{where}: name one with --bot")
    if len(found) > 1:
        lines = "".join(
            f"\n  --bot {one.name} --resource-group {one.resource_group}"
            f" --subscription {one.subscription}"
            for one in found
        )
        raise Ambiguous(f"your account sees {len(found)} Azure Bots: name one:{lines}")
    (bot,) = found
    return Target(
        azure,
        replace(
            options,
            bot=bot.name,
            resource_group=bot.resource_group,
            subscription=bot.subscription,
        ),
    )


def _at_app(arm: ArmClient, bots: list[ResourceId], app: str) -> list[ResourceId]:
    """The bots whose endpoint is at the app of this name."""
    site = arm.get(find_resource(arm, SITE, app).id)
    known = ((one, arm.find(one.id)) for one in bots)  # one may just have been deleted
    return [one for one, bot in known if bot and answers_at(site, endpoint_of(bot))]
