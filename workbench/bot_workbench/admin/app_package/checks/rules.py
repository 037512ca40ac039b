"""The rules of Teams beyond the schema, and what can be found out before it is uploaded.

Sources: Microsoft Teams, "App manifest reference", "App package".
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from bot_workbench.admin.app_package.checks.features import TOKEN_DOMAINS, feature_problems
from bot_workbench.admin.app_package.checks.icon import Icon
from bot_workbench.admin.app_package.filled_manifest import FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.problems import Problem
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place

ICON_SIZES = {"color": 192, "outline": 32, "color32x32": 32}
"""Width and height in pixels, by the member of `icons`."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_SHARED = re.compile(r"\*\.(azurewebsites\.net|azurewebsites\.us|chinacloudsites\.cn)", re.I)
_EXAMPLE_HOST = re.compile(r"(.*\.)?(example\.(com|org|net)|contoso\.com)", re.IGNORECASE)
_EXAMPLE_NAMES = {"contoso", "fabrikam"}


def broken_rules(manifest: FilledManifest, icons: Path, azd: KnownBot) -> Iterator[Problem]:
    """Everything that is wrong, in no particular order.

    Args:
        manifest: with values in place of its variables.
        icons: the folder of the icons.
        azd: knows the deployed bot, or nothing.
    """
    yield from _version(manifest)
    yield from _ids(manifest)
    yield from _urls(manifest)
    yield from _domains(manifest, azd.token_domain)
    yield from feature_problems(manifest, azd)
    yield from _icons(manifest, icons)
    name = manifest.strings.get(("developer", "name"), "")
    if name.lower() in _EXAMPLE_NAMES:
        yield Problem(("developer", "name"), f"{name} is an example", is_example=True)


def _version(manifest: FilledManifest) -> Iterator[Problem]:
    version = manifest.strings.get(("version",), "")
    if not _VERSION.fullmatch(version):
        yield Problem(("version",), f"{version!r} is not MAJOR.MINOR.PATCH, such as 1.0.1")


def _ids(manifest: FilledManifest) -> Iterator[Problem]:
    strings = manifest.strings
    bots = [place for place in strings if _names_bot(place)]
    for place in [("id",), ("webApplicationInfo", "id"), *bots]:
        value = strings.get(place)
        if value is None:
            continue
        if not _GUID.fullmatch(value):
            yield Problem(place, f"{value!r} is not a GUID")
        elif not value.strip("0-"):
            yield Problem(place, "the GUID of zeros is nobody's id")
    for other in bots[1:]:
        if strings[other].lower() != strings[bots[0]].lower():
            first = Problem(bots[0], "").pointer
            yield Problem(other, f"another bot than {strings[bots[0]]} at {first}")


def _names_bot(place: Place) -> bool:
    if place[0] in {"bots", "composeExtensions", "dashboardCards"}:
        return place[-1] == "botId"
    return place[:2] == ("copilotAgents", "customEngineAgents") and place[-1] == "id"


def _urls(manifest: FilledManifest) -> Iterator[Problem]:
    for place, value in manifest.strings.items():
        if place[0] != "developer" and place != ("publisherDocsUrl",):
            continue
        if not str(place[-1]).endswith("Url"):
            continue
        host = _https_host(value)
        if not _is_public(host):
            yield Problem(place, f"{value!r} is not an https URL that people can open")
        elif _EXAMPLE_HOST.fullmatch(host):
            yield Problem(place, f"{value} is an example", is_example=True)


def _https_host(value: str) -> str:
    """The host name of an https URL; empty if it is something else."""
    try:
        url = urlsplit(value)
    except ValueError:  # half an IPv6 address: https://[
        return ""
    return url.hostname or "" if url.scheme == "https" else ""


def _domains(manifest: FilledManifest, token_domain: str) -> Iterator[Problem]:
    domains = {
        place: value for place, value in manifest.strings.items() if place[0] == "validDomains"
    }
    for place, value in domains.items():
        if _SHARED.fullmatch(value):
            yield Problem(place, f"{value} is everybody's: name your own host")
        elif not _is_public(value):
            right = "my-bot.azurewebsites.net, without https:// and path"
            yield Problem(place, f"{value!r} is not a public host name, such as {right}")
        elif _EXAMPLE_HOST.fullmatch(value):
            yield Problem(place, f"{value} is an example", is_example=True)
        elif token_domain and value in TOKEN_DOMAINS and value != token_domain:
            yield Problem(place, f"the token service of the bot's cloud is {token_domain}")


def _is_public(host: str) -> bool:
    """A host name of the internet, or a wildcard for one: no address, and not localhost."""
    try:
        ip_address(host)
    except ValueError:
        return _HOST.fullmatch(host) is not None and not host.endswith((".local", ".localhost"))
    return False


def icon_files(strings: Mapping[Place, str]) -> dict[Place, str]:
    """The names of the icons' files, by their place in the manifest.

    Args:
        strings: of the manifest, by place.
    """
    return {place: name for place, name in strings.items() if place[0] == "icons"}


def _icons(manifest: FilledManifest, folder: Path) -> Iterator[Problem]:
    for place, name in icon_files(manifest.strings).items():
        kind = str(place[-1])
        path, size = folder / name, ICON_SIZES.get(kind)
        if not path.resolve().is_relative_to(folder.resolve()):
            yield Problem(place, f"{name} is not in {folder}")
            continue
        try:
            icon = Icon.read(path)
        except (OSError, ValueError) as error:
            yield Problem(place, f"{path} cannot be used: {error}")
            continue
        if size is not None and (icon.width, icon.height) != (size, size):
            found = f"{icon.width} x {icon.height}"
            yield Problem(place, f"{name} is {found} pixels: Teams expects {size} x {size}")
        if kind == "outline" and not icon.can_be_transparent:
            yield Problem(place, f"{name} has no transparent pixels: it is white on transparent")
