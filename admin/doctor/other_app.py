"""Whether the app runs this project's code; if not, the one thing to do. Nothing else is reported:
users may talk to the app, and this project's settings would stop it."""

import datetime
import shlex

from admin.azure.arm_client import SITE
from admin.azure.errors import AzureProblem
from admin.azure.json_object import JsonObject
from admin.azure.resources import resources_beside
from admin.azure.site_lookup import answers_at
from admin.doctor.deployed_bot import DeployedBot
from admin.doctor.diagnosis import Diagnosis, error, warning
from admin.doctor.look import MALFORMED
from admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from admin.migrate.status.parts.app import BOT_SECRET
from admin.migrate.status.parts.registration import VALID, CredentialPeriod
from admin.migrate.steps.bot_tag import tags_of
from admin.migrate.switch.apps import differences, facts_of
from admin.migrate.switch.moved_endpoint import NEW_ENDPOINT
from admin.near_miss import meant_name
from admin.plan.setting_names import setting
from admin.plan.target import Target, endpoint_of, type_of
from auth.credential_kinds import USER_ASSIGNED_MSI
from auth.settings import TURNS

OF_PROJECT = ("BotCredential", TURNS, "CertificateVaultUrl")
"""Settings that other frameworks do not have."""

MAX_ASKED = 10
"""How many apps beside the Azure Bot are asked who they are."""

PUBLISH = "Publish this project's code to it (docs/deploy-by-hand.md), or name its app with --app"


def other_app(bot: DeployedBot) -> Diagnosis | None:
    """The only finding about an app that is not this project's; None: it is, however broken.

    Args:
        bot: what was read.
    """
    try:
        return None if _is_of_project(bot) else _diagnosis(bot)
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
        value and (name in OF_PROJECT or meant_name(name, OF_PROJECT))
        for name, value in values.items()
    ):
        return True
    is_bot = setting(values, "MicrosoftAppId").lower() == bot.app_id.lower()
    is_old = bool(setting(values, BOT_SECRET) or moved_to)
    return _runs_python_functions(bot) and is_bot and not is_old


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
        examine = shlex.join(["python", "-m", "admin", "doctor", "--bot", successor])
        return warning(
            "bot-replaced",
            f"the Azure Bot {successor} replaces this one, as its tag {REPLACED_BY} says, and"
            f" {name} is the old app",
            f"{status}\n{examine}",
        )
    has_secret = bool(setting(bot.settings.value or {}, BOT_SECRET))
    usable = _usable_secret(bot)
    if not (has_secret if usable is None else usable):
        if cure := switch_to_remembered_app(bot.target, bot.bot) or _switch_to_ready_app(bot):
            return error(
                "endpoint-elsewhere",
                f"the Azure Bot's endpoint is at {name}, which is no app of this project, and has"
                " no secret to sign in with",
                cure,
            )
        if not has_secret:
            reason = f"{name} is no app of this project: it does not run this project's code"
            return error("app-other-code", reason, PUBLISH)
    held = f"the secret in {BOT_SECRET}" if has_secret else "a secret of the app registration"
    return error(
        "setting-password",
        f"{name} signs in with {held}: it is no bot of this project, or not yet",
        status,
    )


def switch_to_remembered_app(target: Target, azure_bot: JsonObject) -> str:
    """The command that moves the bot to the app that its tags remember; empty: they remember none,
    or the bot is there.

    Args:
        target: has the bot.
        azure_bot: as it is now.
    """
    moved_to = tags_of(azure_bot).get(NEW_ENDPOINT, "")
    if not moved_to or moved_to.lower() == endpoint_of(azure_bot).lower():
        return ""
    try:
        app = target.site_at(moved_to).name
    except AzureProblem:  # `switch` says why
        app = ""
    return target.options.command_line("switch", app=app)


def _switch_to_ready_app(bot: DeployedBot) -> str:
    """The command that moves the bot to an app beside it that signs in as the bot; empty: none
    does."""
    azure = bot.target.azure
    try:
        for one in resources_beside(azure.arm, SITE, bot.target.bot_id)[:MAX_ASKED]:
            site = azure.arm.get(one.id)
            host = str(site["properties"]["defaultHostName"])
            facts = azure.site.identity(azure.arm, one.id, host).facts
            if facts and not differences(facts_of(bot.bot), facts):
                return bot.target.options.command_line("switch", app=one.name)
    except AzureProblem:
        pass
    return ""


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
