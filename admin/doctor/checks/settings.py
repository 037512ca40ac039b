"""Checks of the app settings, by the app's own rules and by those of its plan."""

import re
from collections.abc import Collection, Iterator, Mapping

from admin.azure.resources import ResourceId
from admin.doctor.cures import SETTINGS_PAGE, delete_settings, set_property, set_settings
from admin.doctor.deployed_bot import DeployedBot
from admin.doctor.diagnosis import Diagnosis, error, warning
from admin.migrate.status.parts.app import BOT_SECRET, SHOWN_SETTINGS, settings_status
from admin.plan.setting_names import same_name, setting
from auth.credential_kinds import USER_ASSIGNED_MSI
from auth.errors import SettingsError
from auth.settings import CALLERS, STORAGE, TURNS, Settings

UNAUTHENTICATED = "DANGEROUSLY_ALLOW_UNAUTHENTICATED"

NOT_ON_FLEX = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
)
"""Azure Functions docs, "Flex Consumption plan deprecations"."""

OWN = (*SHOWN_SETTINGS, TURNS, CALLERS, STORAGE, "ChannelService", "CertificateThumbprint")
"""Settings whose names the bot reads exactly as they are written here."""

_QUOTED_VALUE = re.compile(r"""^(['"]).*?\1 (?=is |has )""", re.DOTALL)
"""How a problem begins that quotes a setting's value, which may be a secret in the wrong place."""


def check_settings(bot: DeployedBot) -> Iterator[Diagnosis]:
    """What is wrong with the app settings; no value is quoted."""
    values = bot.settings.value
    if values is None:
        return
    app = bot.target.site_id
    if _signs_in_with_a_secret(values):
        # What follows is about this project's bot: its cures would stop one that users talk to.
        yield error(
            "setting-password",
            f"{app.name} signs in with the secret in {BOT_SECRET}: it is no bot of this project, or"
            " not yet",
            bot.target.options.command_line("status", app=""),
            stops=True,
        )
        return
    misspelled = list(_misspelled(values))
    for found, name in misspelled:
        yield error(
            "setting-misspelled",
            f"the setting {found} has another spelling than {name}, which the bot reads",
            f"Set {name}, and then:\n{delete_settings(app, [found])}",
            stops=True,
        )
    yield from _invalid(app, values, {name for _, name in misspelled})
    yield from _secrets(app, values)
    yield from _forbidden(bot, values)


def _signs_in_with_a_secret(values: Mapping[str, str]) -> bool:
    """Whether the app has a bot's secret, and nothing in place of it."""
    is_managed = setting(values, "MicrosoftAppType").lower() == USER_ASSIGNED_MSI.lower()
    is_migrated = is_managed or setting(values, "BotCredential")
    return bool(setting(values, BOT_SECRET)) and not is_migrated


def _misspelled(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for found in values:
        for name in OWN:
            if same_name(found, name) and found != name and name not in values:
                yield found, name


def _invalid(
    app: ResourceId, values: Mapping[str, str], reported: Collection[str]
) -> Iterator[Diagnosis]:
    references = settings_status(values).references
    platform = {
        "WEBSITE_SITE_NAME": app.name,
        "WEBSITE_INSTANCE_ID": "doctor",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
    }
    try:
        Settings.from_environ({**values, **platform})
    except SettingsError as wrong:
        for problem in wrong.problems:
            name, _, text = problem.partition(": ")
            if name not in {*references, *reported, UNAUTHENTICATED}:
                yield _problem(app, name, text)


def _problem(app: ResourceId, name: str, text: str) -> Diagnosis:
    shown = _QUOTED_VALUE.sub("its value ", text)
    return error(
        "setting-invalid",
        f"the setting {name} is wrong: {shown}",
        f"{SETTINGS_PAGE}; set a VALUE that it allows:\n{set_settings(app, **{name: 'VALUE'})}",
        stops=True,
    )


def _secrets(app: ResourceId, values: Mapping[str, str]) -> Iterator[Diagnosis]:
    status = settings_status(values)
    password = [name for name in values if same_name(name, BOT_SECRET)]
    if password:
        yield warning(
            "setting-password",
            f"{BOT_SECRET} is still set, and the bot never reads it",
            delete_settings(app, password),
        )
    if "accountkey=" in setting(values, STORAGE).lower():
        yield warning(
            "setting-storage-key",
            f"{STORAGE} holds an account key, which is a secret, and which the host prefers to the"
            " identity",
            f"Set {STORAGE}__accountName and {STORAGE}__credential, and then:\n"
            f"{delete_settings(app, [STORAGE])}",
        )
    others = [name for name in status.secrets if name not in password and name != STORAGE]
    if others:
        yield warning(
            "setting-secret",
            f"settings that look like secrets: {', '.join(others)}",
            f"Use the app's identity in their place, and then:\n{delete_settings(app, others)}",
        )


def _forbidden(bot: DeployedBot, values: Mapping[str, str]) -> Iterator[Diagnosis]:
    app = bot.target.site_id
    if setting(values, UNAUTHENTICATED):
        yield error(
            "setting-unauthenticated",
            f"{UNAUTHENTICATED} is set, which is for a developer's machine only",
            delete_settings(app, [UNAUTHENTICATED]),
            stops=True,
        )
    forbidden = sorted(name for name in values if name in NOT_ON_FLEX)
    if forbidden and bot.is_flex:
        yield error(
            "setting-not-on-flex",
            f"Flex Consumption does not allow {', '.join(forbidden)}: the next change of the app's"
            " settings will be refused",
            delete_settings(app, forbidden),
        )
    references = settings_status(values).references
    if references and not bot.resolves_references:
        yield error(
            "setting-reference",
            f"key vault references cannot be resolved ({', '.join(references)}): the app has no"
            " identity for them",
            set_property(
                str(bot.site["id"]),
                "properties.keyVaultReferenceIdentity",
                bot.assigned[0].id if bot.assigned else "IDENTITY_ID",
            ),
            stops=any(name in OWN for name in references),
        )
