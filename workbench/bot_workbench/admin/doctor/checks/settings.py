"""Checks of the app settings, by the app's own rules and by those of its plan."""

import re
from collections.abc import Iterator, Mapping

from bot_workbench.admin.doctor.cures import (
    SETTINGS_PAGE,
    delete_settings,
    set_property,
    set_settings,
)
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import (
    APP_TYPE,
    IDENTITY,
    STORAGE_ACCOUNT,
    Diagnosis,
    Subject,
    error,
    warning,
)
from bot_workbench.admin.doctor.parts.identities import (
    CLIENT_ID,
    STORAGE_CLIENT_ID,
    lacks_client_id,
)
from bot_workbench.admin.doctor.right_value import right_value
from bot_workbench.admin.doctor.setting_rules import SETTING_NAMES, VAULT_URL, refused
from bot_workbench.admin.migrate.status.parts.app import bot_secrets, settings_status
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.setting_names import (
    STORAGE,
    TURNS,
    setting,
    storage_account,
)

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

_CERTIFICATES = "docs/deploy-by-hand.md makes the vault and the certificate"
PAGES = {
    "BotCredential": "docs/credentials.md says which one signs in which bot",
    VAULT_URL: _CERTIFICATES,
    "CertificateName": _CERTIFICATES,
    CLIENT_ID: "it is the client id of the identity that has the bot's roles",
    TURNS: "queued turns need a storage account (docs/queued-turns.md), inline ones do not",
}
"""Advice for choosing a value that is not known."""

_YOURS = "; if it is a setting of your own, --ignore setting-misspelled"

_QUOTED_VALUE = re.compile(r"""^(['"]).*?\1 (?=is |has )""", re.DOTALL)
"""The beginning of a problem that quotes a setting's value, which may be a secret in the wrong
place."""


_ACCOUNT = re.compile(r"(?:^|;)\s*AccountName=([a-z0-9]{3,24})(?:;|$)", re.IGNORECASE)
"""The account in a connection string."""


def check_settings(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The problems of the app settings; no value is quoted."""
    values = bot.settings.value
    if values is None:
        return
    problems = refused(values)
    misspelled = list(_misspelled(values))
    for found, name in misspelled:
        yield _spelled(bot, found, name, problems)
    reported = {UNAUTHENTICATED, *(name for _, name in misspelled)}
    meant = {name: values[found] for found, name in misspelled if not values.get(name)}
    for name, text in refused({**values, **meant}).items():
        if name not in reported:
            yield _problem(bot, name, text)
    yield from _secrets(bot, values)
    yield from _forbidden(bot, values)


def _misspelled(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The settings whose names are slips of names that the bot reads, with these."""
    for found, value in values.items():
        name = meant_name(found, SETTING_NAMES) if value.strip() else ""
        if name and values.get(name) != value:
            yield found, name


def _spelled(bot: DeployedBot, found: str, name: str, problems: Mapping[str, str]) -> Diagnosis:
    app, values = bot.target.site_id, bot.settings.value or {}
    deletion = delete_settings(app, [found])
    if values.get(name):
        return warning(
            "setting-misspelled",
            f"the setting {found} has no effect beside {name}, which the bot reads{_YOURS}",
            deletion,
        )
    text = f"the setting {found} has another spelling than {name}, which the bot reads"
    cure = f"{_setting(bot, found, name)}\n{deletion}".lstrip()
    is_of_storage = name.startswith(STORAGE)
    has_storage = storage_account(values) or setting(values, STORAGE)
    identifies = name in {CLIENT_ID, STORAGE_CLIENT_ID}
    if (
        name in problems
        or (is_of_storage and not has_storage)
        or (identifies and lacks_client_id(bot.site, values, name))
    ):
        spoils = {IDENTITY} if identifies else {STORAGE_ACCOUNT} if is_of_storage else ()
        return error("setting-misspelled", text, cure, stops=True, spoils=spoils)
    return warning("setting-misspelled", f"{text}{_YOURS}", cure)


def _setting(bot: DeployedBot, found: str, name: str) -> str:
    """The command that sets the right name; a value that may be a secret is not shown."""
    values = bot.settings.value or {}
    value, status = values[found], settings_status(values)
    if found not in status.secrets:
        right = value if found in status.references else right_value(bot, name, value)
        if right is not None:
            return set_settings(bot.target.site_id, **{name: right}) if right else ""
    return f"Set {name} to the value of {found}, and then:"


def _problem(bot: DeployedBot, name: str, text: str) -> Diagnosis:
    shown = _QUOTED_VALUE.sub("its value ", text)
    needs: dict[str, Subject] = {
        "BotCredential": APP_TYPE,
        "MicrosoftAppTenantId": APP_TYPE,
        TURNS: STORAGE_ACCOUNT,
    }
    return error(
        "setting-invalid",
        f"the setting {name} is wrong: {shown}",
        _cure(bot, name),
        stops=True,
        needs=(needs[name],) if name in needs else (),
    )


def _cure(bot: DeployedBot, name: str) -> str:
    app, values = bot.target.site_id, bot.settings.value or {}
    right = right_value(bot, name, values.get(name, ""))
    if right:
        return set_settings(app, **{name: right})
    if right is not None:
        return delete_settings(app, [name])
    is_of_certificate = name in {VAULT_URL, "CertificatePath"}
    if is_of_certificate and values.get("CertificatePath") and values.get(VAULT_URL):
        return delete_settings(app, ["CertificatePath"])
    return f"Choose its value, and set it in the app's settings: {PAGES.get(name, SETTINGS_PAGE)}"


def _secrets(bot: DeployedBot, values: Mapping[str, str]) -> Iterator[Diagnosis]:
    app, status = bot.target.site_id, settings_status(values)
    passwords = bot_secrets(values)
    if passwords:
        yield warning(
            "setting-password",
            f"the bot's secret is still set, and the bot never uses it: {', '.join(passwords)}",
            delete_settings(app, passwords),
        )
    if "accountkey=" in setting(values, STORAGE).lower():
        yield warning(
            "setting-storage-key",
            f"{STORAGE} holds an account key, which is a secret, and which the host prefers to the"
            " identity",
            "\n".join(filter(None, (_identity_for_storage(bot), delete_settings(app, [STORAGE])))),
        )
    others = [name for name in status.secrets if name not in passwords and name != STORAGE]
    if others:
        yield warning(
            "setting-secret",
            f"settings that look like secrets: {', '.join(others)}",
            f"Use the app's identity in their place, and then:\n{delete_settings(app, others)}",
        )


def _identity_for_storage(bot: DeployedBot) -> str:
    """The settings that name a connection string's account, for an identity; empty: the settings
    do."""
    values = bot.settings.value or {}
    if storage_account(values):
        return ""
    account = _ACCOUNT.search(setting(values, STORAGE))
    if account is None:
        return f"Set {STORAGE}__accountName and {STORAGE}__credential, and then:"
    right = {f"{STORAGE}__accountName": account[1], f"{STORAGE}__credential": "managedidentity"}
    if bot.identity and bot.identity.client_id:
        right[STORAGE_CLIENT_ID] = bot.identity.client_id
    return set_settings(bot.target.site_id, **right)


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
    if references and (bot.assigned or bot.identity) and not bot.resolves_references:
        yield error(
            "setting-reference",
            f"key vault references cannot be resolved ({', '.join(references)}): the app has no"
            " identity for them",
            set_property(
                str(bot.site["id"]),
                "properties.keyVaultReferenceIdentity",
                bot.assigned[0].id if bot.assigned else "SystemAssigned",
            ),
            stops=any(name in SETTING_NAMES for name in references),
        )
