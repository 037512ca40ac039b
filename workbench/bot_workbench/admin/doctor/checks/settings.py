"""Checks of the app settings, by the app's own rules and by those of its plan."""

import re
from collections.abc import Iterator, Mapping

from bot_workbench.admin.doctor.cures import (
    SETTINGS_PAGE,
    delete_settings,
    set_property,
    set_settings,
)
from bot_workbench.admin.doctor.diagnosis import (
    Diagnosis,
    Subject,
    check,
    error,
    findings,
    warning,
)
from bot_workbench.admin.doctor.setting_rules import SETTING_NAMES, refused, right_value
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    CERTIFICATE_NAME,
    CLIENT_ID,
    STORAGE_CLIENT_ID,
    VAULT_URL,
    bot_secrets,
    lacks_client_id,
    references_in,
    secrets_in,
)
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.settings import STORAGE, TURNS, setting, storage_account

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
    CERTIFICATE_NAME: _CERTIFICATES,
    CLIENT_ID: "it is the client id of the identity that has the bot's roles",
    TURNS: "queued turns need a storage account (docs/queued-turns.md), inline ones do not",
}
"""Advice for choosing a value that is not known."""

_NEEDS: Mapping[str, tuple[Subject, ...]] = {
    "BotCredential": ("app type",),
    "MicrosoftAppTenantId": ("app type",),
    TURNS: ("storage account",),
}
"""What must be in order before a problem with a setting means anything."""

_YOURS = "; if it is a setting of your own, --ignore setting-misspelled"

_QUOTED_VALUE = re.compile(r"""^(['"]).*?\1 (?=is |has )""", re.DOTALL)
"""The beginning of a problem that quotes a setting's value, which may be a secret in the wrong
place."""


_ACCOUNT = re.compile(r"(?:^|;)\s*AccountName=([a-z0-9]{3,24})(?:;|$)", re.IGNORECASE)
"""The account in a connection string."""


@check(
    "settings",
    "settings",
    "setting-invalid",
    "setting-misspelled",
    "setting-password",
    "setting-secret",
    "setting-storage-key",
    "setting-reference",
    "setting-not-on-flex",
    "setting-unauthenticated",
)
def check_settings(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The problems of the app settings; no value is quoted."""
    values = bot.settings.require()
    problems = refused(values)
    slips = {
        found: name
        for found, value in values.items()
        if value.strip() and (name := meant_name(found, SETTING_NAMES))
        if values.get(name) != value
    }
    for found, name in slips.items():
        yield _misspelled(bot, values, found, name, problems)
    meant = {name: values[found] for found, name in slips.items() if not values.get(name)}
    for name, text in refused({**values, **meant}).items():
        if name != UNAUTHENTICATED and name not in slips.values():
            shown = _QUOTED_VALUE.sub("its value ", text)
            yield error(
                "setting-invalid",
                f"the setting {name} is wrong: {shown}",
                _right_setting(bot, values, name),
                stops=True,
                needs=_NEEDS.get(name, ()),
            )
    yield from _not_to_be_set(bot, values)


def _misspelled(
    bot: DeployedBot, values: Mapping[str, str], found: str, name: str, problems: Mapping[str, str]
) -> Diagnosis:
    """A setting whose name is a slip of one that the bot reads."""
    deletion = delete_settings(bot, [found])
    if values.get(name):
        return warning(
            "setting-misspelled",
            f"the setting {found} has no effect beside {name}, which the bot reads{_YOURS}",
            deletion,
        )
    text = f"the setting {found} has another spelling than {name}, which the bot reads"
    cure = f"{_renamed(bot, values, found, name)}\n{deletion}".lstrip()
    is_of_storage = name.startswith(STORAGE)
    has_storage = storage_account(values) or setting(values, STORAGE)
    identifies = name in {CLIENT_ID, STORAGE_CLIENT_ID}
    if (
        name in problems
        or (is_of_storage and not has_storage)
        or (identifies and lacks_client_id(bot.site, values, name))
    ):
        spoils: tuple[Subject, ...] = ("storage account",) if is_of_storage else ()
        return error(
            "setting-misspelled",
            text,
            cure,
            stops=True,
            spoils=("identity",) if identifies else spoils,
        )
    return warning("setting-misspelled", f"{text}{_YOURS}", cure)


def _renamed(bot: DeployedBot, values: Mapping[str, str], found: str, name: str) -> str:
    """The command that sets the right name; a value that may be a secret is not shown."""
    if found not in secrets_in(values):
        is_reference = found in references_in(values)
        right = values[found] if is_reference else right_value(bot, name, values[found])
        if right is not None:
            return set_settings(bot, **{name: right}) if right else ""
    return f"Set {name} to the value of {found}, and then:"


def _right_setting(bot: DeployedBot, values: Mapping[str, str], name: str) -> str:
    """The cure of a setting with a wrong value."""
    right = right_value(bot, name, values.get(name, ""))
    if right:
        return set_settings(bot, **{name: right})
    if right is not None:
        return delete_settings(bot, [name])
    is_of_certificate = name in {VAULT_URL, "CertificatePath"}
    if is_of_certificate and values.get("CertificatePath") and values.get(VAULT_URL):
        return delete_settings(bot, ["CertificatePath"])
    return f"Choose its value, and set it in the app's settings: {PAGES.get(name, SETTINGS_PAGE)}"


def _not_to_be_set(bot: DeployedBot, values: Mapping[str, str]) -> Iterator[Diagnosis]:
    passwords = bot_secrets(values)
    others = [name for name in secrets_in(values) if name not in (*passwords, STORAGE)]
    forbidden = sorted(name for name in values if name in NOT_ON_FLEX)
    references = references_in(values)
    has_identity = bool(bot.assigned or bot.identity)
    return findings(
        (
            passwords,
            warning(
                "setting-password",
                f"the bot's secret is still set, and the bot never uses it: {', '.join(passwords)}",
                delete_settings(bot, passwords),
            ),
        ),
        (
            "accountkey=" in setting(values, STORAGE).lower(),
            warning(
                "setting-storage-key",
                f"{STORAGE} holds an account key, which is a secret, and which the host prefers to"
                " the identity",
                f"{_identity_for_storage(bot, values)}{delete_settings(bot, [STORAGE])}",
            ),
        ),
        (
            others,
            warning(
                "setting-secret",
                f"settings that look like secrets: {', '.join(others)}",
                f"Use the app's identity in their place, and then:\n{delete_settings(bot, others)}",
            ),
        ),
        (
            setting(values, UNAUTHENTICATED),
            error(
                "setting-unauthenticated",
                f"{UNAUTHENTICATED} is set, which is for a developer's machine only",
                delete_settings(bot, [UNAUTHENTICATED]),
                stops=True,
            ),
        ),
        (
            forbidden and bot.is_flex,
            error(
                "setting-not-on-flex",
                f"Flex Consumption does not allow {', '.join(forbidden)}: the next change of the"
                " app's settings will be refused",
                delete_settings(bot, forbidden),
            ),
        ),
        (
            references and has_identity and not bot.resolves_references,
            error(
                "setting-reference",
                f"key vault references cannot be resolved ({', '.join(references)}): the app has no"
                " identity for them",
                set_property(
                    str(bot.site["id"]),
                    "properties.keyVaultReferenceIdentity",
                    bot.assigned[0].id if bot.assigned else "SystemAssigned",
                ),
                stops=any(name in SETTING_NAMES for name in references),
            ),
        ),
    )


def _identity_for_storage(bot: DeployedBot, values: Mapping[str, str]) -> str:
    """What comes before the deletion of a connection string: the settings that name its account,
    for an identity; empty: the settings do."""
    if storage_account(values):
        return ""
    account = _ACCOUNT.search(setting(values, STORAGE))
    if account is None:
        return f"Set {STORAGE}__accountName and {STORAGE}__credential, and then:\n"
    right = {f"{STORAGE}__accountName": account[1], f"{STORAGE}__credential": "managedidentity"}
    if bot.identity and bot.identity.client_id:
        right[STORAGE_CLIENT_ID] = bot.identity.client_id
    return f"{set_settings(bot, **right)}\n"
