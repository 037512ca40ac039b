"""The bot's own rules for its app settings: which names it reads, what it refuses, and which value
would be right, as far as that is known."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from bot_workbench import app_process
from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    CERTIFICATE_NAME,
    CLIENT_ID,
    STORAGE_CLIENT_ID,
    VAULT_URL,
    references_in,
)
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_CRYPTO_USER, allows
from bot_workbench.admin.near_miss import meant_value
from bot_workbench.admin.plan.settings import CALLERS, QUEUED, STORAGE, TURNS, setting
from bot_workbench.credential_kinds import CERTIFICATE, FEDERATED, SIGN_IN_VAULT, USER_ASSIGNED_MSI

CHANNEL_SERVICE = "ChannelService"

SETTING_NAMES = (
    "MicrosoftAppType",
    "MicrosoftAppId",
    "MicrosoftAppTenantId",
    "BotCredential",
    CLIENT_ID,
    VAULT_URL,
    CERTIFICATE_NAME,
    "CertificateThumbprint",
    "CertificatePath",
    "CertificateSendX5c",
    CHANNEL_SERVICE,
    "AllowedTenants",
    "AllowedServiceHosts",
    CALLERS,
    TURNS,
    STORAGE,
    f"{STORAGE}__accountName",
    f"{STORAGE}__credential",
    STORAGE_CLIENT_ID,
    f"{STORAGE}__blobServiceUri",
    f"{STORAGE}__queueServiceUri",
)
"""The settings whose names the bot reads exactly as they are written here, but for those that only
tests and private clouds need: an author's own may well be called `OAUTH_URL`."""

LISTS = ("AllowedTenants", "AllowedServiceHosts", CALLERS, "CertificateThumbprint")

_CHOICES = re.compile(r"set one of (.+)$")
"""The end of the text of a problem with a setting that has few values."""

_AROUND = " \t\r\n'\"{}<>\u200e"
"""The characters that are copied along with a value."""

_REFUSED = "\x00"
"""Refused wherever a value is checked."""

_VAULT_NAME = re.compile(r"[a-z][a-z0-9-]{2,23}")

_IN_AZURE = {
    "WEBSITE_SITE_NAME": "app",
    "WEBSITE_INSTANCE_ID": "doctor",
    "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
}


def refused(values: Mapping[str, str]) -> dict[str, str]:
    """The problems that the rules find, by the setting's name, but for key vault references, whose
    values only the app sees. The code of the app in this folder says it, in a process of its own.

    Args:
        values: the app settings.

    Raises:
        NoAppError: there is no app in this folder.
        SystemExit: its code cannot be imported.
    """
    references = references_in(values)
    problems = app_process.ask("settings", {**values, **_IN_AZURE})
    found = [problem.partition(": ") for problem in problems]
    return {name: text for name, _, text in found if name not in references}


def names_storage(values: Mapping[str, str]) -> bool:
    """Whether the bot reads a storage account in the app settings, correct or not."""
    services = ("accountName", "blobServiceUri", "queueServiceUri")
    names = (STORAGE, *(f"{STORAGE}__{each}" for each in services))
    return any(values.get(name, "").strip() for name in names)


def names_queued_turns(values: Mapping[str, str]) -> bool:
    """Whether the bot reads in the app settings that turns are queued."""
    return values.get(TURNS, "").strip().lower() == QUEUED.lower()


def right_value(bot: DeployedBot, name: str, text: str) -> str | None:
    """The value that a setting should have; empty: it should not be set; None: that is not known.

    It is no secret: it comes from the Azure Bot or the app, or the bot's rules demand its form.

    Args:
        bot: whose setting it is.
        name: of the setting, as the bot reads it.
        text: the value now, or that of a setting whose name is nearly this one.
    """
    values = bot.settings.require()
    # The Azure Bot and its cloud decide these; empty: not set.
    decided = {
        "MicrosoftAppType": bot.app_type,
        "MicrosoftAppId": bot.app_id,
        "MicrosoftAppTenantId": bot.tenant_id,
        CHANNEL_SERVICE: bot.target.azure.cloud.channel_service,
    }
    near = _candidates(bot, name, text.strip(_AROUND))
    for each in [decided[name]] if name in decided else near:
        if name not in refused({**values, **decided, name: each}):
            return each
    return None


def _candidates(bot: DeployedBot, name: str, text: str) -> Iterator[str]:
    """Values that may be right, the likeliest first."""
    values = bot.settings.require()
    if text and name in refused({**values, name: _REFUSED}):
        problem = refused({**values, name: text}).get(name, "")
        if choices := _CHOICES.search(problem):
            yield from filter(None, [meant_value(text, choices[1].split(", "))])
        else:
            yield from _listed(bot, name, text) if name in LISTS else [text]
    if name in _KNOWN:
        yield from _KNOWN[name](bot, text)


def _listed(bot: DeployedBot, name: str, text: str) -> Iterator[str]:
    items = [each.strip(_AROUND) for each in re.split(r"[,;\s]+", text)]
    hosts = [host_of(each) or each.partition("/")[0] for each in items]
    kept = [each for each in (hosts if name == "AllowedServiceHosts" else items) if each]
    if name == CALLERS:
        kept = [each for each in kept if each.lower() != bot.app_id.lower()]
    if kept or name == CALLERS:  # any other list admits everyone if it is empty
        yield ",".join(kept)


def _credential(bot: DeployedBot, _: str) -> Iterator[str]:
    """The ways in which the bot can sign in: by what its settings, its roles and its app
    registration have."""
    if bot.app_type == USER_ASSIGNED_MSI:
        yield ""  # it is implied
    if setting(bot.known, VAULT_URL):
        held = bot.roles.value.assigned if bot.roles.value else ()
        (sign,) = KEY_VAULT_CRYPTO_USER.data_actions
        signs = any(allows(each.definition, sign) for each in held)
        yield SIGN_IN_VAULT if signs else CERTIFICATE
    trusted = bot.directory.value.federated if bot.directory.value else ()
    own = {one.principal_id.lower() for one in bot.assigned}
    if own & {str(one.get("subject")).lower() for one in trusted}:
        yield FEDERATED


def _vault_url(bot: DeployedBot, text: str) -> list[str]:
    host = host_of(text) or host_of(f"https://{text}")
    vault = host.partition(".")[0]
    known = _VAULT_NAME.fullmatch(vault)
    return [f"https://{vault}.{bot.target.azure.cloud.vault_suffix}"] if known else []


def _identity(bot: DeployedBot, _: str) -> list[str]:
    return [bot.assigned[0].client_id] if len(bot.assigned) == 1 else []


_KNOWN: Mapping[str, Callable[[DeployedBot, str], Iterable[str]]] = {
    "BotCredential": _credential,
    CLIENT_ID: _identity,
    STORAGE_CLIENT_ID: _identity,
    VAULT_URL: _vault_url,
    f"{STORAGE}__accountName": lambda _, text: [(host_of(text) or text.lower()).partition(".")[0]],
    f"{STORAGE}__credential": lambda *_: ["managedidentity"],
}
"""Further values, by the setting's name."""
