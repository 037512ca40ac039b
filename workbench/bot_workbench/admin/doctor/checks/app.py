"""Checks of the app: whether the channels reach it, how it is configured, what it answers, and what
it did in the last 24 hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at
from bot_workbench.admin.azure.services import AUTHENTICATED, TEAMS_RANGES
from bot_workbench.admin.doctor.cures import (
    WEB_CHAT,
    add_web_chat,
    change,
    change_channel,
    set_property,
)
from bot_workbench.admin.doctor.diagnosis import (
    Diagnosis,
    Subject,
    check,
    error,
    findings,
    not_looked_at,
    warning,
)
from bot_workbench.admin.migrate.access_restrictions import TEAMS, Callers, admits, callers_of
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import (
    NOTIFICATIONS_QUEUE,
    POISON,
    DeployedBot,
)
from bot_workbench.admin.migrate.managed_identity.channels import TEAMS as TEAMS_CHANNEL
from bot_workbench.admin.plan.settings import QUEUED, TURNS, setting
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.target import ENDPOINT_PATH

RUNTIME = ("python", "3.13")
FIRST_PRIORITY = 100
"""Of access restrictions, if there is no other rule; rules with lower numbers come first."""

HTTP_GROUP, QUEUE_GROUP = "http", "function:turns"

MAX_WAITING = 100
"""Messages in a queue; more are a backlog."""

MIN_REFUSED = 100
"""Refused calls in a day: fewer come from anybody who tries addresses."""

ANSWERS: tuple[Subject, ...] = ("answers",)
LOG = "Its log says why: docs/troubleshooting.md has the cures"
OPERATIONS = "docs/operations.md has the queries and cures."
NOTIFICATIONS_PAGE = """docs/notifications.md, "When a notification fails", says what to do."""


@dataclass(frozen=True)
class HostLine:
    """A line that the Functions host logs of itself when it could not run the bot;
    docs/troubleshooting.md explains it.

    Attributes:
        code: of the finding.
        column: of the query for the last day: how many there were.
        says: the part of the line that is always the same.
        problem: what it means, in a sentence.
        needs_restart: whether the app stays as it is until somebody restarts it.
    """

    code: str
    column: str
    says: str
    problem: str
    needs_restart: bool = False


HOST_LINES = (
    HostLine(
        "host-recycled",
        "Recycled",
        "Exceeded language worker restart retry count",
        "the Functions host ended itself, because its worker process had died three times",
    ),
    HostLine(
        "function-in-error",
        "InError",
        "function is in error",
        "the Functions host could not load a function, so nothing triggers it, even if the app"
        " reports healthy; the text after 'is in error:' says whether a restart helps",
        needs_restart=True,
    ),
    HostLine(
        "worker-missing",
        "WithoutWorker",
        "Did not find any initialized language workers",
        "calls failed, because the Functions host had no worker process for them",
    ),
    HostLine(
        "host-shut-down",
        "ShutDown",
        "An unhandled exception has occurred. Host is shutting down",
        "the Functions host ended itself, as it does if storage refuses connections or answers 403",
    ),
)
"""Source: azure-functions-host, RpcFunctionInvocationDispatcher, ScriptHost (which logs as
Host.Startup), RpcFunctionInvocationDispatcherLoadBalancer and WebScriptHostExceptionHandler."""


@check("Azure Bot", "endpoint", "endpoint-missing", "endpoint-elsewhere", "endpoint-wrong")
def check_endpoint(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the bot's endpoint is this app's `/api/messages`."""
    name, endpoint = bot.app.name, bot.endpoint
    cure = change("bot update", bot.bot, endpoint=f"https://{bot.host}{ENDPOINT_PATH}")
    switch = bot.target.options.command_line("switch", app=name)
    if not endpoint:
        yield error("endpoint-missing", "the Azure Bot has no endpoint", cure)
    elif not answers_at(bot.site, endpoint):
        yield error(
            "endpoint-elsewhere",
            f"the Azure Bot's endpoint {endpoint} is not at {name}",
            f"If no gateway forwards to {name} from there:\n{switch}",
        )
    elif urlsplit(endpoint).scheme != "https" or urlsplit(endpoint).path != ENDPOINT_PATH:
        yield error(
            "endpoint-wrong",
            f"the Azure Bot's endpoint {endpoint} is not https with the path {ENDPOINT_PATH}",
            cure,
        )


@check("Azure Bot", "channels", "teams-missing", "teams-disabled", "teams-terms", "web-chat-off")
def check_channels(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether Teams and Web Chat are configured and on."""
    channels = {
        str(one["properties"]["channelName"]): one["properties"].get("properties") or {}
        for one in bot.channels.require()
    }
    teams, sites = channels.get(TEAMS_CHANNEL), channels.get(WEB_CHAT, {}).get("sites") or ()
    cure = change_channel(bot, TEAMS_CHANNEL, "isEnabled=true", "acceptedTerms=true")
    enabling = [f"sites[{number}].isEnabled=true" for number, _ in enumerate(sites)]
    yield from findings(
        (
            teams is None,
            warning(
                "teams-missing",
                "the Azure Bot has no Teams channel",
                # `az bot msteams create` cannot accept the terms.
                f"{change('bot msteams create', bot.bot)}\n{cure}",
            ),
        ),
        (
            teams is not None and teams.get("isEnabled") is False,
            error("teams-disabled", "the Teams channel is disabled", cure),
        ),
        (
            teams is not None and teams.get("acceptedTerms") is not True,
            error(
                "teams-terms",
                "the terms of the Teams channel are not accepted: Teams shows an invalid bot",
                cure,
            ),
        ),
        (
            not any(site.get("isEnabled") for site in sites),
            warning(
                "web-chat-off",
                'the Web Chat channel is off, so the portal\'s "Test in Web Chat" does not work',
                change_channel(bot, WEB_CHAT, *enabling) if sites else add_web_chat(bot),
            ),
        ),
    )


@check(
    "app",
    "app",
    "app-stopped",
    "https-only",
    "tls-version",
    "basic-publishing",
    "public-network",
    "access-restrictions",
    "runtime-version",
)
def check_configuration(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app runs, and its platform is set as the bot needs it."""
    name, app_id = bot.app.name, str(bot.site["id"])
    runtime = _runtime(bot) or RUNTIME
    yield from findings(
        (
            str(bot.properties.get("state") or "").lower() == "stopped",
            error(
                "app-stopped",
                f"{name} is stopped",
                change("functionapp start", bot.site),
                stops=True,
            ),
        ),
        (
            bot.properties.get("httpsOnly") is not True,
            warning(
                "https-only",
                f"{name} answers without encryption, too",
                set_property(app_id, "properties.httpsOnly", "true"),
            ),
        ),
        (
            runtime != RUNTIME,
            error(
                "runtime-version",
                f"{name} runs on {' '.join(runtime)}, and the code needs Python 3.13",
                change("functionapp runtime config set", bot.site, runtime_version=RUNTIME[1])
                if bot.is_flex
                else change("functionapp config set", bot.site, linux_fx_version="Python|3.13"),
            ),
        ),
    )
    for protocol, is_allowed in (bot.publishing.value or {}).items():
        if is_allowed:
            policy = f"{app_id}/basicPublishingCredentialsPolicies/{protocol}"
            yield warning(
                "basic-publishing",
                f"code can be published to {name} with a password ({protocol})",
                set_property(policy, "properties.allow", "false"),
            )
    web = bot.web.require()
    for property_name in ("minTlsVersion", "scmMinTlsVersion"):
        tls = web["properties"].get(property_name)
        if tls and tuple(map(int, str(tls).split("."))) < (1, 2):
            yield warning(
                "tls-version",
                f"{name} accepts TLS {tls} ({property_name})",
                set_property(
                    f"{app_id}/config/web", f"properties.{property_name}", "1.2", is_text=True
                ),
            )
    yield from _network(bot, web)


def _runtime(bot: DeployedBot) -> tuple[str, str] | None:
    """Name and version of the runtime; None: it is not known."""
    configured = (bot.properties.get("functionAppConfig") or {}).get("runtime")
    if configured:
        return str(configured.get("name")).lower(), str(configured.get("version"))
    version = str(((bot.web.value or {}).get("properties") or {}).get("linuxFxVersion") or "")
    name, _, number = version.partition("|")
    # A container brings its own runtime.
    return (name.lower(), number) if number and name.lower() != "docker" else None


def _network(bot: DeployedBot, web: JsonObject) -> Iterator[Diagnosis]:
    closed = [
        set_property(str(each["id"]), "properties.publicNetworkAccess", "Enabled")
        for each in (bot.site, web)
        if str(each["properties"].get("publicNetworkAccess") or "").lower() == "disabled"
    ]
    if closed:
        yield error(
            "public-network",
            f"the channels cannot reach {bot.app.name}: public network access to it is disabled",
            "\n".join(closed),
            stops=True,
        )
        return
    names = [str(one["properties"]["channelName"]) for one in bot.channels.value or ()]
    callers = callers_of(bot.target.azure.cloud, names)
    if refused := [each for each in callers if not admits(web["properties"], each)]:
        who = "Teams" if refused == [TEAMS] else "the channels"
        yield error(
            "access-restrictions",
            f"{who} cannot reach {bot.app.name}: its access restrictions keep them out",
            "\n".join(_admissions(bot, web, refused)),
            stops=True,
        )


def _admissions(bot: DeployedBot, web: JsonObject, refused: Sequence[Callers]) -> Iterator[str]:
    """The commands that admit callers, before all rules that are there."""
    rules = web["properties"].get("ipSecurityRestrictions") or ()
    first = min([FIRST_PRIORITY, *(int(each.get("priority") or FIRST_PRIORITY) for each in rules)])
    for place, callers in enumerate(refused, start=1):
        is_teams = callers is TEAMS
        teams, channels = {"ip_address": ",".join(TEAMS_RANGES)}, {"service_tag": "AzureBotService"}
        yield change(
            "functionapp config access-restriction add",
            bot.site,
            rule_name="Teams" if is_teams else "Channels",
            action="Allow",
            priority=str(max(first - place, 1)),
            **(teams if is_teams else channels),
        )


@check("app", "app", "always-ready", "instance-count")
def check_scale(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether warm instances are where the turns run, and more than one instance may run."""
    config = bot.properties.get("functionAppConfig") or {}
    scale = config.get("scaleAndConcurrency") or {}
    limit = scale.get("maximumInstanceCount")
    if limit is not None and int(limit) <= 1:
        yield warning(
            "instance-count",
            f"{bot.app.name} has at most {limit} instance: nobody answers while it is replaced",
            change("functionapp scale config set", bot.site, maximum_instance_count="40"),
        )
    warm = {
        str(each.get("name"))
        for each in scale.get("alwaysReady") or ()
        if int(each.get("instanceCount") or 0) > 0
    }
    is_queued = setting(bot.known_if_read, TURNS).lower() == QUEUED.lower()
    needed = {HTTP_GROUP, QUEUE_GROUP} if is_queued else {HTTP_GROUP}
    for group in sorted(needed - warm) if warm else ():
        yield warning(
            "always-ready",
            f"instances of {', '.join(sorted(warm))} are always ready, and none of {group}, which"
            " every turn needs: users still wait for a cold start",
            change("functionapp scale config always-ready set", bot.site, settings=f"{group}=1"),
        )


@check(
    "app",
    "answers of the app",
    "app-unreachable",
    "app-barrier",
    "app-unhealthy",
    "app-warning",
    "identity-unproven",
    "identity-differs",
    "endpoint-open",
)
def check_answers(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app is healthy, signs in as this bot, and refuses strangers."""
    answers = bot.answers.require()
    if answers.problem:
        text = f"the app does not answer: {answers.problem}"
        yield error("app-unreachable", text, LOG, needs=ANSWERS)
        return
    if answers.health == 403 and _is_restricted(bot):
        # Whether they admit the channels is a check of its own.
        yield not_looked_at(
            "the app's own answers",
            "its access restrictions refuse this machine",
            "Run the command from an address that they admit",
        )
        return
    if answers.barrier:
        reason, _, cure = answers.barrier.partition(": ")
        if reason == AUTHENTICATED:
            opening = change("webapp auth update", bot.site, enabled="false")
            cure = f"{opening}\nTo keep it for other paths, exclude /api/*."
        yield error(
            "app-barrier", f"calls do not reach the bot: {reason}", cure or LOG, needs=ANSWERS
        )
        return
    is_healthy, facts = answers.health == 200, answers.identity.facts
    yield from findings(
        (
            not is_healthy,
            error(
                "app-unhealthy",
                f"the app's /api/health answers {answers.health}",
                LOG,
                needs=ANSWERS,
            ),
        ),
        (
            is_healthy and answers.unauthenticated != 401,
            error(
                "endpoint-open",
                "a call without a token is not refused: /api/messages answers"
                f" {answers.unauthenticated or 'nothing'}, not 401",
                "Deploy this project's code again, and look for other code in front of it",
                needs=ANSWERS,
            ),
        ),
        (
            is_healthy and not facts and answers.identity.status,
            error(
                "identity-unproven",
                f"the app does not prove its sign-in: {answers.identity.problem}",
                LOG,
                needs=ANSWERS,
            ),
        ),
        (
            facts and str(facts.get("appId")).lower() != bot.app_id.lower(),
            error(
                "identity-differs",
                f"the app signs in as {facts.get('appId')}, and the Azure Bot's id is {bot.app_id}",
                change("functionapp restart", bot.site),
                needs=ANSWERS,
            ),
        ),
    )
    for text in facts.get("warnings") or ():
        yield warning("app-warning", f"the app warns: {text}", LOG)


def _is_restricted(bot: DeployedBot) -> bool:
    """Whether the app runs, and its access restrictions refuse some callers."""
    if bot.web.value is None or str(bot.properties.get("state")).lower() == "stopped":
        return False
    configuration = bot.web.value["properties"]
    admits_all = all(
        str(rule.get("action") or "Allow").lower() == "allow"
        and str(rule.get("ipAddress") or "Any").lower() == "any"
        for rule in configuration.get("ipSecurityRestrictions") or ()
    )
    otherwise = configuration.get("ipSecurityRestrictionsDefaultAction")
    return not admits_all or str(otherwise).lower() == "deny"


@check("last turns", "last turns", *(line.code for line in HOST_LINES))
def check_host(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Failures of the Functions host. It may have recovered since, so that no finding hides what
    the app answers now."""
    logs = bot.logs.require()
    restart = f"{change('functionapp restart', bot.site)}\n"
    page = """docs/troubleshooting.md, "The host's own lines", says why, and what to do."""
    for line in HOST_LINES:
        if count := logs[line.column]:
            text = f"{line.problem} (in the last 24 hours: {count})"
            yield warning(line.code, text, f"{restart if line.needs_restart else ''}{page}")


@check(
    "last turns",
    "last turns",
    "turns-failed",
    "turns-dead-lettered",
    "event-loop-blocked",
    "calls-refused",
)
def check_logs(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The findings in Application Insights' last 24 hours."""
    logs = bot.logs.require()
    return findings(
        (
            logs["Failed"],
            warning(
                "turns-failed", f"{logs['Failed']} turns failed in the last 24 hours", OPERATIONS
            ),
        ),
        (
            logs["Refused"] > max(MIN_REFUSED, logs["Turns"]),
            warning(
                "calls-refused",
                f"{logs['Refused']} calls were refused in the last 24 hours, and {logs['Turns']}"
                " accepted",
                "If users miss answers, a token, a tenant or a service URL is refused:"
                ' docs/troubleshooting.md, "The channel is refused"',
            ),
        ),
        (
            logs["Blocked"],
            warning(
                "event-loop-blocked",
                "the bot's code blocked the event loop, and with it all other turns of the process"
                f" (lines in the last 24 hours: {logs['Blocked']})",
                'docs/troubleshooting.md, "A turn takes too long, or ends the process", says what'
                " to do.",
            ),
        ),
        (
            logs["DeadLettered"],
            warning(
                "turns-dead-lettered",
                f"{logs['DeadLettered']} messages were dead-lettered in the last 24 hours:"
                " activities, notifications, or what somebody else has put into a queue",
                f"{_list_dead_letters(bot)}\n{NOTIFICATIONS_PAGE}",
            ),
        ),
    )


@check("last turns", "last turns", "dead-letters", "queue-backlog")
def check_queues(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The findings of messages that wait in the queues."""
    for name, count in bot.queues.require().items():
        if name.endswith(POISON) and count:
            yield warning(
                "dead-letters",
                f"the queue {name} has {count} messages: dead letters that nobody has dealt with",
                NOTIFICATIONS_PAGE
                if name.startswith(NOTIFICATIONS_QUEUE)
                else _list_dead_letters(bot),
            )
        elif not name.endswith(POISON) and count > MAX_WAITING:
            text = f"{count} messages wait in the queue {name}"
            yield warning("queue-backlog", text, OPERATIONS)


def _list_dead_letters(bot: DeployedBot) -> str:
    storage = bot.storage.value
    if not storage or not storage.id:
        return OPERATIONS
    return f"bot dead-letters list --account {quoted(storage.name)}"
