"""The right value of an app setting, as far as it is known: from the Azure Bot, from the app's
identity, or from what the setting nearly says."""

import re
from collections.abc import Callable, Iterator, Mapping

from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.parts.identities import CLIENT_ID, STORAGE_CLIENT_ID
from bot_workbench.admin.doctor.setting_rules import CHANNEL_SERVICE, VAULT_URL, refused
from bot_workbench.admin.migrate.steps.role_assignment import KEY_VAULT_CRYPTO_USER, allows
from bot_workbench.admin.near_miss import meant_value
from bot_workbench.admin.plan.setting_names import CALLERS, STORAGE, setting
from bot_workbench.admin.plan.target import type_of
from bot_workbench.credential_kinds import CERTIFICATE, FEDERATED, SIGN_IN_VAULT, USER_ASSIGNED_MSI

LISTS = ("AllowedTenants", "AllowedServiceHosts", CALLERS, "CertificateThumbprint")

_CHOICES = re.compile(r"set one of (.+)$")
"""The end of the text of a problem with a setting that has few values."""

_AROUND = " \t\r\n'\"{}<>\u200e"
"""The characters that are copied along with a value."""

_REFUSED = "\x00"
"""Refused wherever a value is checked."""

_VAULT_NAME = re.compile(r"[a-z][a-z0-9-]{2,23}")


def right_value(bot: DeployedBot, name: str, text: str) -> str | None:
    """The value that a setting should have; empty: it should not be set; None: that is not known.

    It is no secret: it comes from the Azure Bot or the app, or the bot's rules demand its form.

    Args:
        bot: whose setting it is.
        name: of the setting, as the bot reads it.
        text: the value now, or that of a setting whose name is nearly this one.
    """
    values = bot.settings.value or {}
    for each in _candidates(bot, name, text.strip(_AROUND)):
        if name not in refused({**values, **_of_azure_bot(bot), name: each}):
            return each
    return None


def _of_azure_bot(bot: DeployedBot) -> dict[str, str]:
    """The settings that the Azure Bot and its cloud decide; empty: not set."""
    properties = bot.bot["properties"]
    return {
        "MicrosoftAppType": type_of(bot.bot),
        "MicrosoftAppId": str(properties.get("msaAppId") or ""),
        "MicrosoftAppTenantId": str(properties.get("msaAppTenantId") or ""),
        CHANNEL_SERVICE: bot.target.azure.cloud.channel_service,
    }


def _candidates(bot: DeployedBot, name: str, text: str) -> Iterator[str]:
    """Values that may be right, the likeliest first."""
    decided, values = _of_azure_bot(bot), bot.settings.value or {}
    if name in decided:
        yield decided[name]
        return
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
    if type_of(bot.bot) == USER_ASSIGNED_MSI:
        yield ""  # it is implied
    if setting(bot.known_if_read, VAULT_URL):
        held = bot.roles.value.assigned if bot.roles.value else ()
        (sign,) = KEY_VAULT_CRYPTO_USER.data_actions
        signs = any(allows(each.definition, sign) for each in held)
        yield SIGN_IN_VAULT if signs else CERTIFICATE
    directory = bot.directory.value
    own = {one.principal_id.lower() for one in bot.assigned}
    if directory and own & {str(one.get("subject")).lower() for one in directory.federated}:
        yield FEDERATED


def _identity(bot: DeployedBot, _: str) -> Iterator[str]:
    if len(bot.assigned) == 1:
        yield bot.assigned[0].client_id


def _vault_url(bot: DeployedBot, text: str) -> Iterator[str]:
    host = host_of(text) or host_of(f"https://{text}")
    if _VAULT_NAME.fullmatch(vault := host.partition(".")[0]):
        yield f"https://{vault}.{bot.target.azure.cloud.vault_suffix}"


def _account(_: DeployedBot, text: str) -> Iterator[str]:
    yield (host_of(text) or text.lower()).partition(".")[0]


_KNOWN: Mapping[str, Callable[[DeployedBot, str], Iterator[str]]] = {
    "BotCredential": _credential,
    CLIENT_ID: _identity,
    STORAGE_CLIENT_ID: _identity,
    VAULT_URL: _vault_url,
    f"{STORAGE}__accountName": _account,
    f"{STORAGE}__credential": lambda _bot, _text: iter(("managedidentity",)),
}
"""Further values, by the setting's name."""
