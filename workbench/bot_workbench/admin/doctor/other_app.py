"""Whether the app is this bot's and runs this project's code; if not, the one thing to do. Nothing
else is reported: users may talk to the app, and this project's settings would stop it."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress

from bot_workbench.admin.azure.arm_client import BOT, SITE
from bot_workbench.admin.azure.errors import AzureProblem, NotFound
from bot_workbench.admin.azure.resources import answers_at, find_resources, resources_beside
from bot_workbench.admin.doctor.diagnosis import Diagnosis, check, error, warning
from bot_workbench.admin.migrate.deployed_bot.app_settings import bot_secrets
from bot_workbench.admin.migrate.deployed_bot.credential_period import has_usable_secret
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import AzureBot, DeployedBot
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.switch import NEW_ENDPOINT, differences, facts_of
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.settings import TURNS, setting
from bot_workbench.admin.plan.target import endpoint_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

OF_PROJECT = ("BotCredential", TURNS, "CertificateVaultUrl")
"""Settings that other frameworks do not have."""

MAX_ASKED = 10
"""The number of apps beside the Azure Bot that are asked who they are."""

PUBLISH = "Publish this project's code to it (docs/deploy-by-hand.md), or name its app with --app"


def without_app(bot: AzureBot, reason: str) -> Diagnosis:
    """The only finding about a bot whose app is not found.

    Args:
        bot: the bot.
        reason: why it is not found.
    """
    known = known_app(bot)
    with suppress(AzureProblem):
        if known and has_usable_secret(bot.target.application()):
            known = bot.target.options.command_line("status", app="")
    cure = known or "Name the app with --app"
    if not bot.endpoint:
        return error("endpoint-missing", "the Azure Bot has no endpoint", cure)
    if known and NEW_ENDPOINT not in bot.tags:
        cure = f"If no gateway forwards to the bot's app from there:\n{known}"
    return error("endpoint-elsewhere", f"the endpoint {bot.endpoint}: {reason}", cure)


@check("app", "app", "app-other-code", "bot-replaced")
def check_whose_app(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The only finding about an app that is not this project's, or that is another bot's; none: it
    is this one's, however broken."""
    if not _is_of_project(bot):
        yield _other_code(bot)
    elif other := _bot_of_app(bot):
        examine = shlex.join(["bot", "doctor", "--bot", other])
        yield error(
            "app-id-differs",
            f"{bot.app.name} is the app of the Azure Bot {other}, and not of"
            f" {bot.target.bot_id.name}",
            f"Name this bot's own app with --app, or examine the other bot:\n{examine}",
        )


def _is_of_project(bot: DeployedBot) -> bool:
    """Whether the app answers as this project's; or `switch` has moved the bot to it; or, as it may
    never have started, its settings are this project's."""
    answers, moved_to = bot.answers.value, bot.tags.get(NEW_ENDPOINT, "")
    if (answers and answers.identity.facts) or answers_at(bot.site, moved_to):
        return True
    values = bot.settings.value
    if values is None:
        return not moved_to
    if any(
        value and (name in OF_PROJECT or (not moved_to and meant_name(name, OF_PROJECT)))
        for name, value in values.items()
    ):
        return True
    is_bot = setting(values, "MicrosoftAppId").strip().lower() == bot.app_id.lower()
    is_old = bool(_secret_in(values) or moved_to)
    if not _runs_python_functions(bot, values) or not is_bot or is_old:
        return False
    return not ready_app(bot)


def _secret_in(values: Mapping[str, str]) -> str:
    """The name of the setting that has the bot's secret; empty: none has."""
    return next(iter(bot_secrets(name for name, value in values.items() if value)), "")


def _runs_python_functions(bot: DeployedBot, values: Mapping[str, str]) -> bool:
    runtime = (bot.properties.get("functionAppConfig") or {}).get("runtime") or {}
    language = runtime.get("name") or setting(values, "FUNCTIONS_WORKER_RUNTIME")
    return "functionapp" in str(bot.site.get("kind")).lower() and language == "python"


def _other_code(bot: DeployedBot) -> Diagnosis:
    name, status = bot.app.name, bot.target.options.command_line("status", app="")
    if not answers_at(bot.site, bot.endpoint):
        return error("app-other-code", f"{name} does not run this project's code", PUBLISH)
    if successor := bot.tags.get(REPLACED_BY):
        examine = shlex.join(["bot", "doctor", "--bot", successor])
        return warning(
            "bot-replaced",
            f"the Azure Bot {successor} replaces this one, as its tag {REPLACED_BY} says, and"
            f" {name} is the old app",
            f"{status}\n{examine}",
        )
    secret = _secret_in(bot.settings.value or {})
    if not _can_use_secret(bot, secret):
        if cure := known_app(bot):
            return error(
                "endpoint-elsewhere",
                f"the Azure Bot's endpoint is at {name}, which is no app of this project, and has"
                " no secret to sign in with",
                cure,
            )
        if not secret:
            reason = f"{name} is no app of this project: it does not run this project's code"
            return error("app-other-code", reason, PUBLISH)
    held = f"the secret in {secret}" if secret else "a secret of the app registration"
    return error(
        "setting-password",
        f"{name} signs in with {held}: it is no bot of this project, or not yet",
        status,
    )


def _can_use_secret(bot: DeployedBot, secret: str) -> bool:
    """Whether the app registration has a secret that has not expired; if that is not known, whether
    a setting has one.

    Args:
        bot: the bot.
        secret: the name of the setting; empty: none has one.
    """
    if bot.app_type == USER_ASSIGNED_MSI:
        return False
    application = bot.directory.value.application if bot.directory.value else {}
    return has_usable_secret(application) if application else bool(secret)


def known_app(bot: AzureBot) -> str:
    """The commands that move the bot to the app that its tags remember, or to one beside it that
    signs in as it; empty: there is none, or the bot is there."""
    target, moved_to = bot.target, bot.tags.get(NEW_ENDPOINT, "")
    if moved_to.lower() == bot.endpoint.lower():
        moved_to = ""
    try:
        if moved_to:
            return target.options.command_line("switch", app=target.site_at(moved_to).name)
    except NotFound:
        pass
    except AzureProblem:  # `switch` says why
        return target.options.command_line("switch", app="")
    return ready_app(bot) or (
        f"The app at {moved_to}, which the tag {NEW_ENDPOINT} remembers, is gone: deploy it again"
        " (docs/deploy.md), or name another one with --app"
        if moved_to
        else ""
    )


def ready_app(bot: AzureBot) -> str:
    """The command that moves the bot to an app beside it that signs in as it; empty: none does."""
    target, azure = bot.target, bot.target.azure
    with suppress(AzureProblem):
        for one in resources_beside(azure.arm, SITE, target.bot_id)[:MAX_ASKED]:
            site = azure.arm.get(one.id)
            host = str(site["properties"]["defaultHostName"])
            is_there = answers_at(site, bot.endpoint)
            facts = {} if is_there else azure.site.identity(azure.arm, one.id, host).facts
            if facts and not differences(facts_of(bot.bot), facts):
                return target.options.command_line("switch", app=one.name)
    return ""


def _bot_of_app(bot: DeployedBot) -> str:
    """The name of another Azure Bot whose settings the app has, and whose endpoint is there: this
    bot's values would stop that one. Empty: there is none."""
    named = setting(bot.settings.value or {}, "MicrosoftAppId").strip().lower()
    arm = bot.target.azure.arm
    with suppress(AzureProblem):  # what is known of this bot is said all the same
        for one in find_resources(arm, BOT) if named not in ("", bot.app_id.lower()) else ():
            other = arm.find(one.id) or {"properties": {}}
            app_id = str(other["properties"].get("msaAppId") or "").lower()
            if app_id == named and answers_at(bot.site, endpoint_of(other)):
                return one.name
    return ""
