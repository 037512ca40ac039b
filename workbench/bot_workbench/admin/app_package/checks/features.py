"""The needs of single sign-on, files and message extensions in the rest of the manifest.

Sources: Microsoft Teams, "Enable SSO for your bot", "Send and receive files using bots", "App
manifest reference"; Teams SDK, "SSO Setup".
"""

import re
from collections.abc import Iterator

from bot_workbench.admin.app_package.filled_manifest import FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.problems import Problem
from bot_workbench.admin.azure.cloud import CLOUDS
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place

TOKEN_DOMAINS = {cloud.token_domain for cloud in CLOUDS.values()}
"""The host names of the token services, where people sign in; one for each cloud."""

_RESOURCE = re.compile(r"api://((?P<host>[^/]+)/)?botid-(?P<owner>[^/]+)|api://(?P<app>[^/]+)")
"""An Application ID URI in lower case; `owner` is the bot's id or the app registration's."""

_COMMAND_ID = ("commands", "id")


def feature_problems(manifest: FilledManifest, azd: KnownBot) -> Iterator[Problem]:
    """The problems of the features that the manifest has.

    Args:
        manifest: with values in place of its variables.
        azd: knows the deployed bot, or nothing.
    """
    if ("webApplicationInfo", "id") in manifest.strings:
        yield from _sign_on(manifest, is_identity=azd.is_identity)
    yield from _files(manifest, has_files=azd.has_files)
    yield from _commands(manifest)


def _sign_on(manifest: FilledManifest, *, is_identity: bool) -> Iterator[Problem]:
    strings = manifest.strings
    app_id = strings[("webApplicationInfo", "id")].lower()
    bot_id = strings.get(("bots", 0, "botId"), "").lower()
    domains = {value.lower() for place, value in strings.items() if place[0] == "validDomains"}
    if is_identity and app_id == bot_id:
        text = (
            "single sign-on needs an app registration, and the bot is a managed identity: give"
            " the id of a registration of its own"
        )
        yield Problem(("webApplicationInfo", "id"), text)
    place = ("webApplicationInfo", "resource")
    owners = [each for each in dict.fromkeys((bot_id, app_id)) if each]
    resource = _RESOURCE.fullmatch(strings.get(place, "").lower())
    if resource is None or not (resource["owner"] in owners or resource["app"] == app_id):
        expected = " or ".join(f"api://botid-{each}" for each in owners)
        yield Problem(place, f"Teams expects {expected}")
    elif resource["host"] and not _has_domain(domains, resource["host"]):
        yield Problem(place, f"validDomains lacks its host name, {resource['host']}")
    if not domains & TOKEN_DOMAINS:
        text = "people sign in at the token service of the bot's cloud, such as"
        yield Problem(("validDomains",), f"{text} token.botframework.com: add it")


def _has_domain(domains: set[str], host: str) -> bool:
    """A host name is one of the domains, or one level below a wildcard."""
    return host in domains or f"*.{host.partition('.')[2]}" in domains


def _files(manifest: FilledManifest, *, has_files: bool) -> Iterator[Problem]:
    bots = manifest.value.get("bots")
    for index, bot in enumerate(bots if isinstance(bots, list) else []):
        if not isinstance(bot, dict) or bot.get("supportsFiles") is not True:
            continue
        place = ("bots", index, "supportsFiles")
        scopes = {
            value for at, value in manifest.strings.items() if at[:3] == ("bots", index, "scopes")
        }
        if "personal" not in scopes:
            yield Problem(
                place, "people send a bot files in personal chats: add personal to scopes"
            )
        elif not has_files:
            yield Problem(place, "Teams of the bot's cloud has no files for bots")


def _commands(manifest: FilledManifest) -> Iterator[Problem]:
    """The bot gets only the id of the command that somebody has chosen."""
    seen: dict[str, Place] = {}
    for place, value in manifest.strings.items():
        if place[0] != "composeExtensions" or place[2:3] + place[4:] != _COMMAND_ID:
            continue
        if seen.setdefault(value, place) != place:
            first = Problem(seen[value], "").pointer
            yield Problem(place, f"{value!r} is the id of another command, at {first}")
