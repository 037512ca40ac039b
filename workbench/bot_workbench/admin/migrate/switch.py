"""`migrate switch` and `migrate back`: where the Azure Bot sends its users' messages, and the tags
that remember where it did before."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from bot_workbench.admin.azure.errors import AzureProblem, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.access_restrictions import barrier, callers_of
from bot_workbench.admin.migrate.deployed_bot.credential_period import has_usable_secret
from bot_workbench.admin.migrate.managed_identity.channels import channel_name
from bot_workbench.admin.migrate.steps.azure_bot import bot_change, tag_change, tags_of
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.shell import az, on_one_line
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step, unless_refused
from bot_workbench.admin.plan.target import ENDPOINT_PATH, Target, endpoint_of, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

PREVIOUS_ENDPOINT = "previousEndpoint"
"""The tag of an Azure Bot that remembers the old app's endpoint, for `back`."""

NEW_ENDPOINT = "newEndpoint"
"""The tag that remembers the new app's endpoint, for `switch`."""

SWITCHED_ON = "switchedOn"
"""The tag that says when the endpoint moved last (ISO 8601, UTC)."""

MAX_WRITES = 3
"""The number of times that tags are written which reads do not show."""

MAX_TRIES = 3
PASSING = {0, 429, 500, 502, 503, 504}
"""Statuses (0: no answer) that a new look may not meet again."""

_SETTINGS = {
    "appId": "MicrosoftAppId",
    "appType": "MicrosoftAppType",
    "tenantId": "MicrosoftAppTenantId",
}
"""The app's setting behind each compared fact of `/api/identity`."""

RememberedAppOption = Annotated[
    str,
    typer.Option(
        "--app",
        metavar="NAME",
        help="The new Function App; by default the one that `switch` moved to before.",
    ),
]


def switch(options: Options) -> None:
    """Move the bot's users to the new app: its endpoint, in one call.

    First the new app must prove, at its `/api/identity`, that it signs in
    as this bot. The old endpoint is remembered in the Azure Bot's tags, so
    that `back` works from any machine; the endpoint moves once a read has
    shown that they remember it.

    [bold]Examples[/bold]

      bot migrate switch --bot contoso-bot --app contoso-new
      bot migrate switch --bot contoso-bot --app contoso-new \\
          --dry-run

    [bold]Exit status[/bold]

      0    the endpoint is the new app's
      1    the new app does not sign in as this bot, channels cannot reach
           it, or the tags do not remember the way back
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several
      3    no sign-in, no answer from Azure, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object:

      {"command": TEXT, "bot": NAME, "dryRun": BOOLEAN,
       "result": RESULT, "reason": TEXT, "notes": [TEXT],
       "steps": [{"title": TEXT, "found": [TEXT], "notes": [TEXT],
                  "question": TEXT,
                  "changes": [{"summary": TEXT, "method": METHOD,
                               "url": URL, "body": OBJECT,
                               "az": [LINE], "sent": BOOLEAN,
                               "problem": TEXT}]}],
       "wayBack": TEXT, "next": COMMAND}

    RESULT is done, planned (--dry-run), refused, declined, waiting (the
    time ran out) or failed. "question" is only in a dry run, and "problem"
    only if the change had to be looked up or sent again.
    """
    execute(options, switch_plan)


def switch_plan(target: Target) -> Plan:
    """The endpoint moves to the new app, which must be ready.

    Raises:
        AzureProblem: the bot or the app cannot be found.
        typer.BadParameter: no app is named, and none is remembered.
    """
    chosen = target if target.options.app else _remembered_app(target)
    endpoint = f"https://{chosen.host}{ENDPOINT_PATH}"
    bot = target.bot()
    next_command = "status" if type_of(bot) == USER_ASSIGNED_MSI else "delete-secret"
    return Plan(
        (
            ready_app(chosen, endpoint),
            remembered_endpoint(chosen, endpoint),
            moved_endpoint(chosen, endpoint, PREVIOUS_ENDPOINT, NEW_ENDPOINT),
        ),
        way_back=unless_refused(_way_back(target, bot, endpoint)),
        next_command=chosen.options.command_line(next_command),
    )


def _way_back(target: Target, bot: JsonObject, endpoint: str) -> str:
    """The command that undoes a switch to an endpoint (URL); empty: it was always there."""
    if endpoint_of(bot).lower() == endpoint.lower() and not tags_of(bot).get(PREVIOUS_ENDPOINT):
        return ""
    if not leaves_new_app(bot, endpoint):
        return target.options.command_line("back", app="")
    try:
        return target.options.command_line("switch", app=target.site_at(endpoint_of(bot)).name)
    except AzureProblem:  # the account need not see the app that is left
        return az("bot update", {**target.bot_id.az_options, "--endpoint": endpoint_of(bot)})


def _remembered_app(target: Target) -> Target:
    endpoint = tags_of(target.bot()).get(NEW_ENDPOINT, "")
    if not endpoint:
        raise typer.BadParameter(
            "name the new Function App with --app: the bot's tags remember none"
        )
    return target.for_app(target.site_at(endpoint))


def back(options: Options) -> None:
    """Move the bot's users back to the old app: its endpoint, in one call.

    The old endpoint comes from the tag previousEndpoint, which `switch`
    has set. It works as long as the old app has its secret.

    [bold]Examples[/bold]

      bot migrate back --bot contoso-bot

    [bold]Exit status[/bold]

      0    the endpoint is the old app's
      1    no old endpoint is remembered, or the old app could not sign in;
           nothing was changed
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several
      3    no sign-in, no answer from Azure, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    execute(options, back_plan)


def back_plan(target: Target) -> Plan:
    """The endpoint moves to the one that the tags remember.

    Raises:
        AzureProblem: the bot cannot be found.
    """
    previous = tags_of(target.bot()).get(PREVIOUS_ENDPOINT, "")
    if not previous:
        return Plan((Step("The old endpoint", partial(_nothing_remembered, target)),))
    return Plan(
        (
            Step("The old app's credential", partial(_old_credential, target, previous)),
            Step("The old app", partial(_reachable_app, target, previous)),
            moved_endpoint(target, previous, NEW_ENDPOINT, PREVIOUS_ENDPOINT),
        ),
        way_back=unless_refused(target.options.command_line("switch")),
    )


def _nothing_remembered(target: Target) -> Finding:
    bot, now = target.bot_id, endpoint_of(target.bot())
    return Finding(
        f"the endpoint is {now}, and the tag {PREVIOUS_ENDPOINT} is missing",
        refusal="`switch` has not moved this bot, so there is nothing to go back to. Any other"
        f" endpoint: `az bot update --resource-group {bot.resource_group} --name {bot.name}"
        " --endpoint URL`",
    )


def ready_app(target: Target, endpoint: str) -> Step:
    """The new app signs in as this bot, and lets the channels in.

    Args:
        target: has the bot and the app.
        endpoint: the new app's (URL).
    """
    tries = MAX_TRIES

    def look() -> Finding:
        """Ask the app, unless the bot's users talk to it already."""
        nonlocal tries
        bot, name = target.bot(), target.site_id.name
        if endpoint_of(bot).lower() == endpoint.lower():
            return Finding(f"the bot's users already talk to {name}")
        proof = target.proof()
        if proof.problem:
            tries -= 1
            if tries and proof.status in PASSING and not target.options.dry_run:
                return Finding(f"{name} does not answer as it should", waiting=True)
            return Finding(
                f"{name} does not sign in as the bot",
                refusal=f"{proof.problem}. The endpoint stays where it is. If the app has just been"
                " started, wait a minute; else see its log and docs/troubleshooting.md, and run"
                " `status`",
            )
        if wrong := differences(facts_of(bot), proof.facts):
            return Finding(
                f"{name} does not sign in as this bot",
                refusal=f"{name} signs in with another {'; '.join(wrong)}. The endpoint stays where"
                " it is",
            )
        if found := _barrier(target, endpoint):
            return Finding(
                f"the channels do not reach {endpoint}",
                refusal=f"the channels cannot reach {endpoint}: {found}. The endpoint stays where"
                " it is",
            )
        kind, app_id = proof.facts.get("kind"), proof.facts.get("appId")
        return Finding(f"{name} signs in as {app_id}, with the credential {kind}")

    return Step("The new app", look)


def _barrier(target: Target, endpoint: str) -> str:
    """The barrier to the channels, and the cure; empty: nothing that can be seen."""
    azure, site = target.azure, target.site()
    web = azure.arm.get(f"{target.site_id.id}/config/web")
    names = map(channel_name, azure.arm.pages(f"{target.bot_id.id}/channels"))
    found = (barrier(site, web, callers) for callers in callers_of(azure.cloud, names))
    return next(filter(None, found), "") or azure.site.barrier(endpoint)


def facts_of(bot: JsonObject) -> dict[str, str]:
    """The facts in the `/api/identity` of an Azure Bot's app; an empty one: any."""
    properties = bot["properties"]
    return {
        "appId": str(properties.get("msaAppId") or ""),
        "appType": str(properties.get("msaAppType") or ""),
        "tenantId": str(properties.get("msaAppTenantId") or ""),
    }


def differences(wanted: Mapping[str, str], facts: JsonObject) -> list[str]:
    """The differences between `/api/identity` and what it must say, each with the setting to
    change.

    Args:
        wanted: as `facts_of` an Azure Bot.
        facts: the app's answer.
    """
    return [
        f"{name} ({facts.get(name) or 'none'}, not {value}): change the setting {_SETTINGS[name]}"
        for name, value in wanted.items()
        if value and str(facts.get(name) or "").lower() != value.lower()
    ]


def leaves_new_app(bot: JsonObject, endpoint: str) -> bool:
    """Whether a switch to an endpoint leads from one new app to another. Then the tag
    PREVIOUS_ENDPOINT stays: `back` and `delete-secret` need the app that has the secret.

    Args:
        bot: the Azure Bot.
        endpoint: URL.
    """
    tags, now = tags_of(bot), endpoint_of(bot).lower()
    old, new = (tags.get(name, "").lower() for name in (PREVIOUS_ENDPOINT, NEW_ENDPOINT))
    return bool(old) and now == new and endpoint.lower() not in {old, new}


def old_endpoint(bot: JsonObject, endpoint: str) -> str:
    """The value of the tag PREVIOUS_ENDPOINT when a switch moves the endpoint; may be empty.

    Args:
        bot: the Azure Bot before the move.
        endpoint: where it moves to (URL).
    """
    keeps_old = leaves_new_app(bot, endpoint)
    return tags_of(bot)[PREVIOUS_ENDPOINT] if keeps_old else endpoint_of(bot)


def _remembered(bot: JsonObject) -> str:
    tags = tags_of(bot)
    found = [name for name in (PREVIOUS_ENDPOINT, NEW_ENDPOINT) if tags.get(name)]
    return ", ".join(f"{name} {tags[name]}" for name in found) or "no other"


def _limited(target: Target, refusal: Callable[[], str]) -> Callable[[Change], Change]:
    """Lets changes of tags be sent MAX_WRITES times, all in all: whoever writes a resource's tags
    replaces all of them, and Azure has no conditional write for them, so that another program's
    write may drop one again and again.

    Args:
        target: has the clients.
        refusal: the reason after that.
    """
    writes = 0

    def send(change: Change) -> None:
        nonlocal writes
        if writes == MAX_WRITES:
            raise Refused(refusal())
        writes += 1
        target.azure.arm.send(change.method, change.url, change.body)

    return lambda change: replace(change, send=partial(send, change))


def remembered_endpoint(target: Target, endpoint: str) -> Step:
    """The bot's tags remember the old app's endpoint, as a read shows, before the endpoint moves.

    Args:
        target: has the bot.
        endpoint: to where the endpoint moves next (URL).
    """
    limited = _limited(
        target,
        lambda: (
            f"the tag {PREVIOUS_ENDPOINT} was written {MAX_WRITES} times, and is not on the"
            " Azure Bot: another program or an Azure Policy removes it. Without it, `back`"
            " would not know the old endpoint. The endpoint stays where it is"
        ),
    )

    def look() -> Finding:
        bot = target.bot()
        tagged = tags_of(bot).get(PREVIOUS_ENDPOINT, "")
        if endpoint_of(bot).lower() == endpoint.lower():
            return Finding(f"the endpoint has moved, and the tags remember {_remembered(bot)}")
        wanted = old_endpoint(bot, endpoint)
        if not wanted:
            return Finding("the bot has no endpoint yet, so there is no way back to remember")
        if tagged == wanted:
            return Finding(f"the tag {PREVIOUS_ENDPOINT} remembers {wanted}")
        summary = f"Remember {wanted} in the tag {PREVIOUS_ENDPOINT}"
        change = limited(tag_change(target, PREVIOUS_ENDPOINT, wanted, summary))
        return Finding(f"the tag {PREVIOUS_ENDPOINT} remembers {tagged or 'nothing'}", (change,))

    return Step("Tags of the Azure Bot", look)


def moved_endpoint(target: Target, endpoint: str, remember: str, named: str) -> Step:
    """The bot's endpoint is the one given, and its tags remember the old app's and the new app's,
    in one call. Tags that a read does not show afterwards are sent again.

    Args:
        target: has the bot.
        endpoint: URL.
        remember: the tag that gets the endpoint of before.
        named: the tag that gets the given endpoint.
    """
    planned: dict[str, str] = {}
    before = ""

    def refusal() -> str:
        way_back = az("bot update", {**target.bot_id.az_options, "--endpoint": before})
        return (
            f"the endpoint is {endpoint}, but its tags were written {MAX_WRITES} times, and are not"
            " on the Azure Bot: another program or an Azure Policy removes them, so that `back`"
            f" does not know the old endpoint. The way back is `{on_one_line(way_back)}`"
        )

    limited = _limited(target, refusal)

    def look() -> Finding:
        nonlocal before
        bot = target.bot()
        now, tags = endpoint_of(bot), tags_of(bot)
        if now.lower() != endpoint.lower():
            before = now
            planned[remember] = (
                old_endpoint(bot, endpoint) if remember == PREVIOUS_ENDPOINT else now
            )
            planned[named] = endpoint
            planned[SWITCHED_ON] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            text = f"the endpoint is {now or 'empty'}"
            summary = (
                f"Move the endpoint to {endpoint}, and remember"
                f" {planned[remember] or 'the empty one'} in the tag {remember}"
            )
        elif lost := [name for name, value in planned.items() if tags.get(name, "") != value]:
            text = (
                f"the endpoint is {now}, but the tags no longer remember {', '.join(lost)}: another"
                " program has written them"
            )
            summary = f"Remember {', '.join(lost)} in the tags again"
        else:
            return Finding(f"the endpoint is {now}, and the tags remember {_remembered(bot)}")
        change = bot_change(target, bot, planned, summary, endpoint=endpoint)
        return Finding(text, (limited(change),))

    return Step("Endpoint of the Azure Bot", look)


def _old_credential(target: Target, endpoint: str) -> Finding:
    """The old app proves its sign-in, or the app registration still has a usable secret.

    What cannot be read does not stop the way back, which may be urgent: a note says so.
    """
    try:
        facts = target.for_app(target.site_at(endpoint)).proof().facts
    except AzureProblem:
        facts = {}
    if facts and not differences(facts_of(target.bot()), facts):
        return Finding("the old app signs in as the bot")
    try:
        usable = has_usable_secret(target.application())
    except AzureProblem as error:
        note = f"whether the old app's secret still exists cannot be read: {error}"
        return Finding("the old app does not say how it signs in", notes=(note,))
    if usable:
        return Finding("the app registration has a secret that has not expired")
    return Finding(
        "the old app does not prove that it signs in, and the app registration has no usable"
        " secret",
        refusal="the old app could not answer the users: no secret of the bot is left that has"
        " not expired. The endpoint stays where it is. To go back all the same, give the old"
        " app a new secret first (`az ad app credential reset --append`); to move to another"
        " app, use `switch` with --app",
    )


def _reachable_app(target: Target, endpoint: str) -> Finding:
    """The old app still answers; if not, a note says so, because the user may know better.

    It is sent an empty activity without a token, which every bot refuses.
    """
    status = target.azure.site.probe(endpoint)
    if status and status < 500 and status not in {403, 404}:
        return Finding(f"{endpoint} answers")
    seen = f"answers {status}" if status else "does not answer"
    return Finding(
        f"{endpoint} {seen}",
        notes=("users get no replies until the old app runs: start it (`az webapp start`)",),
    )
