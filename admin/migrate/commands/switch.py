"""`migrate switch` and `migrate back`: which app answers the bot's users."""

from admin.azure.cloud import PUBLIC
from admin.console import JsonOption
from admin.migrate.execution import execute
from admin.migrate.options import (
    DEFAULT_TIMEOUT_SECONDS,
    AppOption,
    BotOption,
    CloudOption,
    DryRunOption,
    Options,
    ResourceGroupOption,
    SubscriptionOption,
    TimeoutOption,
    YesOption,
)
from admin.migrate.step import Plan
from admin.migrate.steps.endpoint import PREVIOUS_ENDPOINT, EndpointMoved
from admin.migrate.target import ENDPOINT_PATH, Target


def switch(
    bot: BotOption,
    app: AppOption = "",
    *,
    resource_group: ResourceGroupOption = "",
    subscription: SubscriptionOption = "",
    cloud: CloudOption = PUBLIC.name,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    yes: YesOption = False,
    timeout: TimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Move the bot's endpoint to the new app, in one call."""
    execute(
        Options(
            "switch", bot, app, resource_group, subscription, cloud, dry_run, as_json, yes, timeout
        ),
        plan_switch,
    )


def plan_switch(target: Target) -> Plan:
    """The endpoint moves to the Function App."""
    moved = EndpointMoved(target, f"https://{target.host}{ENDPOINT_PATH}")
    return Plan((moved,), way_back=target.options.command_line("back"))


def back(
    bot: BotOption,
    app: AppOption = "",
    *,
    resource_group: ResourceGroupOption = "",
    subscription: SubscriptionOption = "",
    cloud: CloudOption = PUBLIC.name,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    yes: YesOption = False,
    timeout: TimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Move the bot's endpoint back to where it was."""
    execute(
        Options(
            "back", bot, app, resource_group, subscription, cloud, dry_run, as_json, yes, timeout
        ),
        plan_back,
    )


def plan_back(target: Target) -> Plan:
    """The endpoint moves to the one that the tags remember."""
    previous = (target.bot().get("tags") or {}).get(PREVIOUS_ENDPOINT, "")
    return Plan((EndpointMoved(target, previous),))
