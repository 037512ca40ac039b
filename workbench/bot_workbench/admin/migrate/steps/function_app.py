"""The Function App of a route: what is checked before it is changed, its settings, its restart."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from bot_workbench.admin.azure.arm_client import BOT
from bot_workbench.admin.azure.errors import Forbidden, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at, find_resources
from bot_workbench.admin.migrate.steps.azure_bot import bot_type
from bot_workbench.admin.plan.settings import SiteSettings, same_name, setting
from bot_workbench.admin.plan.shell import az, quoted, wrapped
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step, unless_refused
from bot_workbench.admin.plan.target import Target, endpoint_of, type_of
from bot_workbench.credential_kinds import MULTI_TENANT

Settings = Mapping[str, str]

APP_ID = "MicrosoftAppId"
"""The setting that says which bot an app answers. It is one bot only."""


def first_steps(target: Target, refused_types: Mapping[str, str] | None = None) -> list[Step]:
    """The checks with which each route to another credential of the same bot begins.

    Args:
        target: has the bot and the app.
        refused_types: why further types of bots are refused, and what to do, by type.
    """
    return [
        Step("Type of the Azure Bot", partial(bot_type, target, refused_types or {})),
        deployed_code(target),
        unclaimed_app(target, lambda: {target.app_id}),
    ]


def deployed_code(target: Target) -> Step:
    """The Function App has the function `identity`, which only this project's code has: so it can
    prove what it does.

    Args:
        target: has the app: that of `--app`, or the one behind the bot's endpoint.
    """

    def look() -> Finding:
        app = target.site_id
        try:
            target.azure.arm.get(f"{app.id}/functions/identity")
        except NotFound:
            named = "" if target.options.app else ", to which the bot's endpoint leads,"
            return Finding(
                f"{app.name} has no function `identity`",
                refusal=f"the app {app.name}{named} does not run this project's code: publish it to"
                " a Function App beside the old app (docs/deploy-by-hand.md, steps 1 to 8), and"
                " name that one with --app",
            )
        return Finding(f"{app.name} runs this project's code")

    return Step("The app's code", look)


def unclaimed_app(target: Target, app_ids: Callable[[], Collection[str]]) -> Step:
    """The app's settings name no other bot, and no other bot's endpoint leads to the app.

    Args:
        target: has the app.
        app_ids: the ids (GUID) that the app may have: of the bot that it will answer, and of bots
            that do not need it. One may be a shell variable while it is not known.
    """

    def look() -> Finding:
        """Read the app's settings; if they are not the bot's yet, read all bots' endpoints."""
        app, current = target.site_id, setting(target.settings(), APP_ID)
        allowed = {each.lower() for each in app_ids()}
        if current.lower() in allowed:
            return Finding(f"{app.name} is set up for the bot {current}")
        claims = list(_claims(target, current, allowed))
        if not current and not claims:
            return Finding(f"{app.name} is set up for no bot")
        found = f"{app.name} is set up for {f'the bot {current}' if current else 'no bot'}"
        text = "; ".join((found, *claims))
        deletion = az(
            "functionapp config appsettings delete", {**app.az_options, "--setting-names": APP_ID}
        )
        ends = [*(("delete it",) if claims else ()), *((f"`{deletion}`",) if current else ())]
        return Finding(
            text,
            refusal=f"{text}. An app answers one bot, and {target.options.bot} has the id"
            f" {target.app_id}: users of the other bot would get no answer any more. Publish"
            " an app of its own for this bot (docs/deploy-by-hand.md), and name that one with --app"
            f". If nobody uses the other bot: {', '.join(ends)}, and run the command again",
        )

    return Step("The bot that the app answers", look)


def _claims(target: Target, current: str, allowed: Collection[str]) -> Iterator[str]:
    """The other bots' use of the app, for people."""
    site, arm = target.site(), target.azure.arm
    nothing: JsonObject = {"properties": {}}
    for found in find_resources(arm, BOT):
        try:
            bot = arm.find(found.id) or nothing
        except Forbidden:  # the settings alone say whose the app is
            bot = nothing
        app_id = str(bot["properties"].get("msaAppId") or "").lower()
        if app_id in allowed:
            continue
        if answers_at(site, endpoint_of(bot)):
            yield f"the endpoint of the Azure Bot {found.name} leads to it"
        elif current and app_id == current.lower():
            yield f"that is the Azure Bot {found.name}"


def app_settings(
    target: Target,
    values: Callable[[Settings], Settings],
    removed: Collection[str] = (),
    question: Callable[[], str] = str,
) -> Step:
    """Settings of the Function App have given values, and the others stay as they are.

    Each change is made from a read, and not sent if another read just before it differs (see
    SiteSettings). Values of other settings may be secrets, and are never printed.

    Args:
        target: has the app.
        values: makes the settings that must be so from those that are there now. A value may be a
            shell variable if it is not known yet.
        removed: names of settings that must not exist.
        question: what to ask before a change; it is empty if there is nothing to ask.
    """

    def look() -> Finding:
        current, app = target.settings(), target.site_id
        wanted = values(current)
        differing = {name: value for name, value in wanted.items() if current.get(name) != value}
        # The app reads a setting by its exact name, and beside it no other spelling may decide.
        misspelled = {name for name in current if name not in wanted and _in(wanted, name)}
        left = sorted({name for name in current if _in(removed, name)} | misspelled)
        if not differing and not left:
            return Finding(f"no setting of {app.name} needs a change")
        names = [*sorted(differing), *(f"not {name}" for name in left)]
        return Finding(
            f"settings of {app.name} to change: {', '.join(names)}",
            changes=(_settings_change(target, current, differing, left),),
            question=question(),
        )

    return Step("App settings", look)


def _in(names: Iterable[str], name: str) -> bool:
    return any(same_name(each, name) for each in names)


def _settings_change(
    target: Target, current: Settings, differing: Settings, left: list[str]
) -> Change:
    app, arm = target.site_id, target.azure.arm
    kept = {name: value for name, value in current.items() if name not in left}
    others = kept.keys() - differing.keys()
    acts, lines = [], []
    if left:
        acts.append(f"delete {', '.join(left)}")
        command = az("functionapp config appsettings delete", app.az_options)
        lines.append(f"{command} --setting-names {' '.join(map(quoted, left))}")
    if differing:
        acts.insert(0, f"set {', '.join(sorted(differing))}")
        command = az("functionapp config appsettings set", app.az_options)
        pairs = [quoted(f"{name}={value}") for name, value in sorted(differing.items())]
        lines.append(wrapped([f"{command} --settings", *pairs]))
    act, properties = " and ".join(acts), {**kept, **differing}
    return Change(
        method="PUT",
        url=arm.url(f"{app.id}/config/appsettings"),
        body={"properties": properties},
        summary=f"{act[0].upper()}{act[1:]} in the settings of {app.name}, and keep its"
        f" other settings ({len(others)}); the app restarts",
        az=tuple(lines),
        hidden=frozenset(others),
        send=partial(SiteSettings(arm, app.id, current).replace, properties),
    )


def restart_change(target: Target, purpose: str) -> Change:
    """The change after which the Function App's processes are new, and sign in again.

    Args:
        target: has the app.
        purpose: for the plan: "so that ...".

    Raises:
        AzureProblem: the app cannot be found.
    """
    app = target.site_id
    return Change(
        method="POST",
        url=target.azure.arm.url(f"{app.id}/restart"),
        body=None,
        summary=f"Restart {app.name}, {purpose}",
        az=(az("functionapp restart", app.az_options),),
    )


def bot_settings(target: Target, credential: str) -> dict[str, str]:
    """The settings that say who the bot is, and how it signs in.

    Raises:
        AzureProblem: the bot cannot be read.
    """
    bot = target.bot()
    properties, app_type = bot["properties"], type_of(bot)
    settings = {
        "MicrosoftAppType": app_type,
        "MicrosoftAppId": str(properties["msaAppId"]),
        "BotCredential": credential,
    }
    if app_type != MULTI_TENANT:
        settings["MicrosoftAppTenantId"] = str(properties.get("msaAppTenantId") or "")
    service = target.azure.cloud.channel_service
    return {**settings, **({"ChannelService": service} if service else {})}


def credential_plan(target: Target, steps: Sequence[Step]) -> Plan:
    """The plan that gives an app another credential, with what undoes it and what comes next.

    Args:
        target: has the bot and the app.
        steps: in their order.

    Raises:
        AzureProblem: the bot or the app cannot be found.
    """
    app = target.site_id.name
    if target.answers_users():
        command = "delete-secret"
        way_back = (
            f"set BotCredential in the settings of {app} back to what it was: its former credential"
            " is still registered"
        )
    else:
        command = "switch"
        way_back = "nothing is needed: the old app still answers, and its secret still works"
    next_command = target.options.command_line(command, app=target.options.app or app)
    return Plan(steps, way_back=unless_refused(way_back), next_command=next_command)


def question_if_live(target: Target, expected: Mapping[str, str]) -> str:
    """The question before an app that answers the bot's users gets another credential; else empty.

    Args:
        target: has the bot and the app.
        expected: what `/api/identity` must answer afterwards, by the names of its facts.

    Raises:
        AzureProblem: the bot or the app cannot be read.
    """
    if not target.answers_users():
        return question_if_hidden(target)
    facts = target.proof().facts
    if facts and all(
        str(facts.get(name) or "").lower() == value.lower() for name, value in expected.items()
    ):
        return ""
    now = f"with the credential {facts['kind']}" if facts else "and does not say how it signs in"
    return (
        f"{target.site_id.name} answers the bot's users now, {now}. After the change it cannot sign"
        " in until Entra accepts the new credential, which takes minutes. (Without a gap: deploy a"
        " second app, and name it with --app.) Change it?"
    )


def question_if_hidden(target: Target) -> str:
    """The question before an app is changed that may answer the bot's users behind another host
    name (Front Door, API Management, a proxy); empty if it cannot.

    Args:
        target: has the bot and the app.

    Raises:
        AzureProblem: the bot or the app cannot be read.
    """
    endpoint = endpoint_of(target.bot())
    if not endpoint or not setting(target.settings(), "MicrosoftAppId"):
        return ""  # an app without a bot's settings answers nobody
    try:
        target.site_at(endpoint)
    except NotFound:
        app = target.site_id.name
        return (
            f"The bot's endpoint is {endpoint}, which is no app that your account sees: a gateway"
            f" may lead from there to {app}, which has a bot's settings. Change {app}?"
        )
    return ""
