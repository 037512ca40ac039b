"""Checks of the Function App: how it is configured, and what it answers."""

from collections.abc import Iterator, Sequence

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import AUTHENTICATED, TEAMS_RANGES
from bot_workbench.admin.doctor.cures import set_property, set_text
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import (
    ANSWERS,
    NOT_LOOKED_AT,
    UNKNOWN,
    Diagnosis,
    error,
    warning,
)
from bot_workbench.admin.migrate.switch.access_restrictions import (
    TEAMS,
    Callers,
    admits,
    callers_of,
)
from bot_workbench.admin.plan.setting_names import QUEUED, TURNS, setting
from bot_workbench.admin.plan.shell import az

RUNTIME = ("python", "3.13")
MIN_TLS = (1, 2)
FIRST_PRIORITY = 100
"""Of access restrictions, if there is no other rule; rules with lower numbers come first."""

HTTP_GROUP, QUEUE_GROUP = "http", "function:turns"


def check_configuration(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app runs, and its platform is set as the bot needs it."""
    site, properties = bot.site, bot.site["properties"]
    if str(properties.get("state") or "").lower() == "stopped":
        yield error(
            "app-stopped",
            f"{bot.app_name} is stopped",
            az("functionapp start", bot.target.site_id.az_options),
            stops=True,
        )
    if properties.get("httpsOnly") is not True:
        yield warning(
            "https-only",
            f"{bot.app_name} answers without encryption, too",
            set_property(str(site["id"]), "properties.httpsOnly", "true"),
        )
    version = _runtime(bot)
    if version and version != RUNTIME:
        options = bot.target.site_id.az_options
        yield error(
            "runtime-version",
            f"{bot.app_name} runs on {' '.join(version)}, and the code needs Python 3.13",
            az("functionapp runtime config set", {**options, "--runtime-version": RUNTIME[1]})
            if bot.is_flex
            else az("functionapp config set", {**options, "--linux-fx-version": "Python|3.13"}),
        )
    for protocol, allowed in (bot.publishing.value or {}).items():
        if allowed:
            policy = f"{site['id']}/basicPublishingCredentialsPolicies/{protocol}"
            yield warning(
                "basic-publishing",
                f"code can be published to {bot.app_name} with a password ({protocol})",
                set_property(policy, "properties.allow", "false"),
            )
    yield from _web(bot)


def _runtime(bot: DeployedBot) -> tuple[str, str] | None:
    """Name and version of the runtime; None: it is not known."""
    configured = (bot.site["properties"].get("functionAppConfig") or {}).get("runtime")
    if configured:
        return str(configured.get("name")).lower(), str(configured.get("version"))
    version = str(((bot.web.value or {}).get("properties") or {}).get("linuxFxVersion") or "")
    name, _, number = version.partition("|")
    # A container brings its own runtime.
    return (name.lower(), number) if number and name.lower() != "docker" else None


def _web(bot: DeployedBot) -> Iterator[Diagnosis]:
    web = bot.web.value
    if web is None:
        return
    for name in ("minTlsVersion", "scmMinTlsVersion"):
        version = web["properties"].get(name)
        if version and tuple(map(int, str(version).split("."))) < MIN_TLS:
            yield warning(
                "tls-version",
                f"{bot.app_name} accepts TLS {version} ({name})",
                set_text(f"{bot.site['id']}/config/web", f"properties.{name}", "1.2"),
            )
    yield from _network(bot, web)


def _network(bot: DeployedBot, web: JsonObject) -> Iterator[Diagnosis]:
    closed = [
        str(each["id"])
        for each in (bot.site, web)
        if str(each["properties"].get("publicNetworkAccess") or "").lower() == "disabled"
    ]
    if closed:
        yield error(
            "public-network",
            f"the channels cannot reach {bot.app_name}: public network access to it is disabled",
            "\n".join(
                set_property(each, "properties.publicNetworkAccess", "Enabled") for each in closed
            ),
            stops=True,
        )
        return
    names = [str(one["properties"]["channelName"]) for one in bot.channels.value or ()]
    callers = callers_of(bot.target.azure.cloud, names)
    if refused := [each for each in callers if not admits(web["properties"], each)]:
        who = "Teams" if refused == [TEAMS] else "the channels"
        yield error(
            "access-restrictions",
            f"{who} cannot reach {bot.app_name}: its access restrictions keep them out",
            "\n".join(_admissions(bot, web, refused)),
            stops=True,
        )


def _admissions(bot: DeployedBot, web: JsonObject, refused: Sequence[Callers]) -> Iterator[str]:
    """The commands that admit callers, before all rules that are there."""
    rules = web["properties"].get("ipSecurityRestrictions") or ()
    first = min(
        (int(each.get("priority") or FIRST_PRIORITY) for each in rules), default=FIRST_PRIORITY
    )
    for place, callers in enumerate(refused, start=1):
        is_teams = callers is TEAMS
        source = (
            {"--ip-address": ",".join(TEAMS_RANGES)}
            if is_teams
            else {"--service-tag": "AzureBotService"}
        )
        options = {
            **bot.target.site_id.az_options,
            "--rule-name": "Teams" if is_teams else "Channels",
            "--action": "Allow",
            "--priority": str(max(min(first, FIRST_PRIORITY) - place, 1)),
            **source,
        }
        yield az("functionapp config access-restriction add", options)


def check_scale(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether warm instances are where the turns run, and more than one instance may run."""
    config = bot.site["properties"].get("functionAppConfig") or {}
    scale = config.get("scaleAndConcurrency") or {}
    options = bot.target.site_id.az_options
    limit = scale.get("maximumInstanceCount")
    if limit is not None and int(limit) <= 1:
        yield warning(
            "instance-count",
            f"{bot.app_name} has at most {limit} instance: nobody answers while it is replaced",
            az("functionapp scale config set", {**options, "--maximum-instance-count": "40"}),
        )
    ready = {
        str(each.get("name")): int(each.get("instanceCount") or 0)
        for each in scale.get("alwaysReady") or ()
    }
    warm = {name for name, count in ready.items() if count > 0}
    queued = setting(bot.known_if_read, TURNS).lower() == QUEUED.lower()
    needed = {HTTP_GROUP, QUEUE_GROUP} if queued else {HTTP_GROUP}
    for group in sorted(needed - warm) if warm else ():
        yield warning(
            "always-ready",
            f"instances of {', '.join(sorted(warm))} are always ready, and none of {group}, which"
            " every turn needs: users still wait for a cold start",
            az(
                "functionapp scale config always-ready set", {**options, "--settings": f"{group}=1"}
            ),
        )


def check_answers(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the app is healthy, signs in as this bot, and refuses strangers."""
    answers = bot.answers.value
    if answers is None:
        return
    log = "Its log says why: docs/troubleshooting.md has the cures"
    if answers.problem:
        text = f"the app does not answer: {answers.problem}"
        yield error("app-unreachable", text, log, needs=(ANSWERS,))
        return
    if answers.health == 403 and _is_restricted(bot):
        # Whether they admit the channels is a check of its own.
        yield Diagnosis(
            NOT_LOOKED_AT,
            UNKNOWN,
            "not looked at: the app's own answers: its access restrictions refuse this machine",
            "Run the command from an address that they admit",
        )
        return
    if answers.barrier:
        reason, _, cure = answers.barrier.partition(": ")
        if reason == AUTHENTICATED:
            options = {**bot.target.site_id.az_options, "--enabled": "false"}
            cure = (
                f"{az('webapp auth update', options)}\nTo keep it for other paths, exclude /api/*."
            )
        text = f"calls do not reach the bot: {reason}"
        yield error("app-barrier", text, cure or log, needs=(ANSWERS,))
        return
    if answers.health != 200:
        text = f"the app's /api/health answers {answers.health}"
        yield error("app-unhealthy", text, log, needs=(ANSWERS,))
    elif answers.unauthenticated != 401:
        yield error(
            "endpoint-open",
            "a call without a token is not refused: /api/messages answers"
            f" {answers.unauthenticated or 'nothing'}, not 401",
            "Deploy this project's code again, and look for other code in front of it",
            needs=(ANSWERS,),
        )
    facts = answers.identity.facts
    if answers.health == 200 and not facts and answers.identity.status:
        yield error(
            "identity-unproven",
            f"the app does not prove its sign-in: {answers.identity.problem}",
            log,
            needs=(ANSWERS,),
        )
    if facts and str(facts.get("appId")).lower() != bot.app_id.lower():
        yield error(
            "identity-differs",
            f"the app signs in as {facts.get('appId')}, and the Azure Bot's id is {bot.app_id}",
            az("functionapp restart", bot.target.site_id.az_options),
            needs=(ANSWERS,),
        )
    for text in facts.get("warnings") or ():
        yield warning("app-warning", f"the app warns: {text}", log)


def _is_restricted(bot: DeployedBot) -> bool:
    """Whether the app runs, and its access restrictions refuse some callers."""
    if bot.web.value is None or str(bot.site["properties"].get("state")).lower() == "stopped":
        return False
    configuration = bot.web.value["properties"]
    admits_all = all(
        str(rule.get("action") or "Allow").lower() == "allow"
        and str(rule.get("ipAddress") or "Any").lower() == "any"
        for rule in configuration.get("ipSecurityRestrictions") or ()
    )
    otherwise = configuration.get("ipSecurityRestrictionsDefaultAction")
    return not admits_all or str(otherwise).lower() == "deny"
