"""Whether the app runs this project's code; if not, the one thing to do. Nothing else is reported:
users may talk to the app, and this project's settings would stop it."""

import datetime
import shlex
from collections.abc import Mapping

from bot_workbench.admin.azure.arm_client import BOT, SITE
from bot_workbench.admin.azure.errors import AzureProblem, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at, find_resources, resources_beside
from bot_workbench.admin.doctor.background_read import MALFORMED
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import Diagnosis, error, warning
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.parts.app import bot_secrets
from bot_workbench.admin.migrate.status.parts.registration import VALID, CredentialPeriod
from bot_workbench.admin.migrate.steps.bot_tag import tags_of
from bot_workbench.admin.migrate.switch.apps import differences, facts_of
from bot_workbench.admin.migrate.switch.moved_endpoint import NEW_ENDPOINT
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.setting_names import TURNS, setting
from bot_workbench.admin.plan.target import Target, endpoint_of, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

OF_PROJECT = ("BotCredential", TURNS, "CertificateVaultUrl")
"""Settings that other frameworks do not have."""

MAX_ASKED = 10
"""The number of apps beside the Azure Bot that are asked who they are."""

PUBLISH = "Publish this project's code to it (docs/deploy-by-hand.md), or name its app with --app"


def other_app(bot: DeployedBot) -> Diagnosis | None:
    """The only finding about an app that is not this project's, or that is another bot's; None: it
    is this one's, however broken.

    Args:
        bot: what was read.
    """
    try:
        if _is_of_project(bot):
            return _app_of_another_bot(bot)
        return _diagnosis(bot)
    except MALFORMED:  # the checks say so
        return None


def _is_of_project(bot: DeployedBot) -> bool:
    """Whether the app answers as this project's; or `switch` has moved the bot to it; or, as it may
    never have started, its settings are this project's."""
    answers, moved_to = bot.answers.value, tags_of(bot.bot).get(NEW_ENDPOINT, "")
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
    if not _runs_python_functions(bot) or not is_bot or is_old:
        return False
    return not ready_app(bot.target, bot.bot)


def _secret_in(values: Mapping[str, str]) -> str:
    """The name of the setting that has the bot's secret; empty: none has."""
    return next(iter(bot_secrets(name for name, value in values.items() if value)), "")


def _runs_python_functions(bot: DeployedBot) -> bool:
    runtime = (bot.site["properties"].get("functionAppConfig") or {}).get("runtime") or {}
    language = runtime.get("name") or setting(bot.settings.value or {}, "FUNCTIONS_WORKER_RUNTIME")
    return "functionapp" in str(bot.site.get("kind")).lower() and language == "python"


def _diagnosis(bot: DeployedBot) -> Diagnosis:
    name, options = bot.app_name, bot.target.options
    status = options.command_line("status", app="")
    if not answers_at(bot.site, endpoint_of(bot.bot)):
        return error("app-other-code", f"{name} does not run this project's code", PUBLISH)
    if successor := tags_of(bot.bot).get(REPLACED_BY):
        examine = shlex.join(["bot", "doctor", "--bot", successor])
        return warning(
            "bot-replaced",
            f"the Azure Bot {successor} replaces this one, as its tag {REPLACED_BY} says, and"
            f" {name} is the old app",
            f"{status}\n{examine}",
        )
    secret = _secret_in(bot.settings.value or {})
    usable = _usable_secret(bot)
    if not (secret if usable is None else usable):
        if cure := known_app(bot.target, bot.bot):
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


def known_app(target: Target, azure_bot: JsonObject) -> str:
    """The commands that move the bot to the app that its tags remember, or to one beside it that
    signs in as it; empty: there is none, or the bot is there.

    Args:
        target: has the bot.
        azure_bot: as it is now.
    """
    moved_to = tags_of(azure_bot).get(NEW_ENDPOINT, "")
    if moved_to.lower() == endpoint_of(azure_bot).lower():
        moved_to = ""
    try:
        app = target.site_at(moved_to).name if moved_to else ""
    except NotFound:
        app = ""
    except AzureProblem:  # `switch` says why
        return target.options.command_line("switch", app="")
    if app:
        return target.options.command_line("switch", app=app)
    return ready_app(target, azure_bot) or (
        f"The app at {moved_to}, which the tag {NEW_ENDPOINT} remembers, is gone: deploy it again"
        " (docs/deploy.md), or name another one with --app"
        if moved_to
        else ""
    )


def ready_app(target: Target, azure_bot: JsonObject) -> str:
    """The command that moves the bot to an app beside it that signs in as it; empty: none does.

    Args:
        target: has the bot.
        azure_bot: as it is now.
    """
    azure, endpoint = target.azure, endpoint_of(azure_bot)
    try:
        for one in resources_beside(azure.arm, SITE, target.bot_id)[:MAX_ASKED]:
            site = azure.arm.get(one.id)
            if answers_at(site, endpoint):
                continue
            host = str(site["properties"]["defaultHostName"])
            facts = azure.site.identity(azure.arm, one.id, host).facts
            if facts and not differences(facts_of(azure_bot), facts):
                return target.options.command_line("switch", app=one.name)
    except AzureProblem:
        pass
    return ""


def _app_of_another_bot(bot: DeployedBot) -> Diagnosis | None:
    """The app's settings are those of another Azure Bot, whose endpoint is there; None: they are
    not. This bot's values would stop that one."""
    named = setting(bot.settings.value or {}, "MicrosoftAppId").strip().lower()
    if not named or named == bot.app_id.lower():
        return None
    arm = bot.target.azure.arm
    try:
        for one in find_resources(arm, BOT):
            other = arm.find(one.id) or {"properties": {}}
            app_id = str(other["properties"].get("msaAppId") or "").lower()
            if app_id == named and answers_at(bot.site, endpoint_of(other)):
                examine = shlex.join(["bot", "doctor", "--bot", one.name])
                return error(
                    "app-id-differs",
                    f"{bot.app_name} is the app of the Azure Bot {one.name}, and not of"
                    f" {bot.target.bot_id.name}",
                    f"Name this bot's own app with --app, or examine the other bot:\n{examine}",
                )
    except AzureProblem:  # what is known of this bot is said all the same
        pass
    return None


def _usable_secret(bot: DeployedBot) -> bool | None:
    """Whether the app registration has a secret that has not expired; None: that is not known."""
    if type_of(bot.bot) == USER_ASSIGNED_MSI:
        return False
    directory = bot.directory.value
    return has_usable_secret(directory.application) if directory else None


def has_usable_secret(application: JsonObject) -> bool | None:
    """Whether an app registration has a secret that has not expired; None: it is not known.

    Args:
        application: as Graph returns it; empty: there is none that the account sees.
    """
    now = datetime.datetime.now(datetime.UTC)
    secrets = application.get("passwordCredentials") or ()
    return (
        any(CredentialPeriod.of(each).state(now) == VALID for each in secrets)
        if application
        else None
    )
