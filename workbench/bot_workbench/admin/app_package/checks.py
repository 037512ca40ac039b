"""The checks before there is a zip: rules of Teams, icons, files of languages, Microsoft's schema.

Sources: Microsoft Teams, "App manifest reference", "App package", "Localize your app", "Enable SSO
for your bot", "Send and receive files using bots"; Teams SDK, "SSO Setup".
"""

import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator

from bot_workbench.admin.app_package.filled_manifest import FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.azure.cloud import CLOUDS
from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.migrate.managed_identity.developer_files import Place, pointer
from bot_workbench.admin.migrate.managed_identity.manifest import bot_ids
from bot_workbench.setup.tools import SCHEMAS

Strings = Mapping[Place, str]

TOKEN_DOMAINS = {cloud.token_domain for cloud in CLOUDS.values()}
"""The host names of the token services, where people sign in; one for each cloud."""

ICON_SIZES = {"color": 192, "outline": 32, "color32x32": 32}
"""Width and height in pixels, by the member of `icons`."""

SCHEMA_HOST = "https://developer.microsoft.com/"

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_SHARED = re.compile(r"\*\.(azurewebsites\.net|azurewebsites\.us|chinacloudsites\.cn)", re.I)
_EXAMPLE_HOST = re.compile(r"(.*\.)?(example\.(com|org|net)|contoso\.com)", re.IGNORECASE)
_RESOURCE = re.compile(r"api://((?P<host>[^/]+)/)?botid-(?P<owner>[^/]+)|api://(?P<app>[^/]+)")
"""An Application ID URI in lower case; `owner` is the bot's id or the app registration's."""

_PNG = b"\x89PNG\r\n\x1a\n"
_WITH_ALPHA = {4, 6}
"""The color types of a PNG whose pixels have an alpha sample; others have a chunk tRNS if any is
transparent. Source: W3C, Portable Network Graphics."""


@dataclass(frozen=True)
class Problem:
    """Something that Teams would reject, or that people should not see.

    Attributes:
        place: where it is in the manifest; empty: nowhere in particular.
        text: what is wrong, and what is right.
        is_example: it is an example's value: Teams takes it in a test, but not from a publisher.
    """

    place: Place
    text: str
    is_example: bool = False


@dataclass(frozen=True)
class Rule:
    """What a string must be.

    Attributes:
        holds: whether a string is so.
        text: what is said of another one, which is {}.
        is_example: see Problem.
    """

    holds: Callable[[str], object]
    text: str
    is_example: bool = False


def _is_public(host: str) -> bool:
    """A host name of the internet, or a wildcard for one: no address, whose last part is no name,
    and not localhost."""
    return _HOST.fullmatch(host) is not None and not host.endswith((".local", ".localhost"))


def _https_host(url: str) -> str:
    """The host name of an https URL; empty if it is something else."""
    return host_of(url) if url.lower().startswith("https:") else ""


RULES: tuple[tuple[Callable[[Strings], Iterable[Place]], tuple[Rule, ...]], ...] = (
    (
        lambda _: [("version",)],
        (Rule(_VERSION.fullmatch, "{!r} is not MAJOR.MINOR.PATCH, such as 1.0.1"),),
    ),
    (
        lambda strings: [
            place
            for place in (("id",), ("webApplicationInfo", "id"), *bot_ids(strings))
            if place in strings
        ],
        (
            Rule(_GUID.fullmatch, "{!r} is not a GUID"),
            Rule(lambda value: value.strip("0-"), "the GUID of zeros is nobody's id"),
        ),
    ),
    (
        lambda strings: [
            place
            for place in strings
            if place[0] in {"developer", "publisherDocsUrl"} and str(place[-1]).endswith("Url")
        ],
        (
            Rule(
                lambda value: _is_public(_https_host(value)),
                "{!r} is not an https URL that people can open",
            ),
            Rule(
                lambda value: not _EXAMPLE_HOST.fullmatch(_https_host(value)),
                "{} is an example",
                is_example=True,
            ),
        ),
    ),
    (
        lambda strings: [place for place in strings if place[0] == "validDomains"],
        (
            Rule(
                lambda value: not _SHARED.fullmatch(value),
                "{} is everybody's: name your own host",
            ),
            Rule(
                _is_public,
                "{!r} is not a public host name, such as my-bot.azurewebsites.net, without https://"
                " and path",
            ),
            Rule(
                lambda value: not _EXAMPLE_HOST.fullmatch(value),
                "{} is an example",
                is_example=True,
            ),
        ),
    ),
    (
        lambda _: [("developer", "name")],
        (
            Rule(
                lambda value: value.lower() not in {"contoso", "fabrikam"},
                "{} is an example",
                is_example=True,
            ),
        ),
    ),
)
"""The places in a manifest, and what a string there must be: of its rules, the first that is broken
is said. A new rule for a single string is a line here."""


def problems(
    manifest: FilledManifest, folder: Path, azd: KnownBot, schema: Path | None
) -> list[Problem]:
    """Everything that is wrong, in no particular order: of the schema, at other places only.

    Args:
        manifest: with values in place of its variables.
        folder: of the manifest, its icons and the files of its languages.
        azd: knows the deployed bot, or nothing.
        schema: Microsoft's; None: it is not installed.
    """
    found = [*broken_rules(manifest, folder, azd), *_languages(manifest.strings, folder)]
    places = {each.place for each in found}
    violations = schema_problems(manifest.value, schema) if schema is not None else ()
    return [*found, *(each for each in violations if each.place not in places)]


def broken_rules(manifest: FilledManifest, folder: Path, azd: KnownBot) -> Iterator[Problem]:
    """What is wrong beyond the schema and the languages.

    Args:
        manifest, folder, azd: as for `problems`.
    """
    strings = manifest.strings
    for places, rules in RULES:
        for place in places(strings):
            value = strings.get(place, "")
            broken = next((rule for rule in rules if not rule.holds(value)), None)
            if broken is not None:
                yield Problem(place, broken.text.format(value), broken.is_example)
    bots = bot_ids(strings)
    for other in bots[1:]:
        if strings[other].lower() != strings[bots[0]].lower():
            yield Problem(other, f"another bot than {strings[bots[0]]} at {pointer(bots[0])}")
    for place, value in strings.items():
        is_another = value in TOKEN_DOMAINS and value != azd.token_domain
        if azd.token_domain and is_another and place[0] == "validDomains":
            yield Problem(place, f"the token service of the bot's cloud is {azd.token_domain}")
    if ("webApplicationInfo", "id") in strings:
        yield from _sign_on(strings, is_identity=azd.is_identity)
    yield from _files(manifest, has_files=azd.has_files)
    yield from _commands(strings)
    yield from _icons(strings, folder)


def _sign_on(strings: Strings, *, is_identity: bool) -> Iterator[Problem]:
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
    elif (host := resource["host"]) and not {host, f"*.{host.partition('.')[2]}"} & domains:
        yield Problem(place, f"validDomains lacks its host name, {host}")
    if not domains & TOKEN_DOMAINS:
        text = "people sign in at the token service of the bot's cloud, such as"
        yield Problem(("validDomains",), f"{text} token.botframework.com: add it")


def _files(manifest: FilledManifest, *, has_files: bool) -> Iterator[Problem]:
    bots = manifest.value.get("bots")
    for index, bot in enumerate(bots if isinstance(bots, list) else []):
        if not isinstance(bot, dict) or bot.get("supportsFiles") is not True:
            continue
        place, scopes = ("bots", index, "supportsFiles"), ("bots", index, "scopes")
        if "personal" not in {text for at, text in manifest.strings.items() if at[:3] == scopes}:
            text = "people send a bot files in personal chats: add personal to scopes"
            yield Problem(place, text)
        elif not has_files:
            yield Problem(place, "Teams of the bot's cloud has no files for bots")


def _commands(strings: Strings) -> Iterator[Problem]:
    """The bot gets only the id of the command that somebody has chosen."""
    seen: dict[str, Place] = {}
    for place, value in strings.items():
        if place[0] != "composeExtensions" or place[2:3] + place[4:] != ("commands", "id"):
            continue
        if seen.setdefault(value, place) != place:
            first = pointer(seen[value])
            yield Problem(place, f"{value!r} is the id of another command, at {first}")


def icon_files(strings: Strings) -> dict[Place, str]:
    """The names of the icons' files, by their place in the manifest.

    Args:
        strings: of the manifest, by place.
    """
    return {place: name for place, name in strings.items() if place[0] == "icons"}


def _icons(strings: Strings, folder: Path) -> Iterator[Problem]:
    for place, name in icon_files(strings).items():
        kind, path = str(place[-1]), folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            yield Problem(place, f"{name} is not in {folder}")
            continue
        try:
            width, height, can_be_transparent = _png(path)
        except (OSError, ValueError) as error:
            yield Problem(place, f"{path} cannot be used: {error}")
            continue
        size = ICON_SIZES.get(kind)
        if size is not None and (width, height) != (size, size):
            found = f"{width} x {height}"
            yield Problem(place, f"{name} is {found} pixels: Teams expects {size} x {size}")
        if kind == "outline" and not can_be_transparent:
            yield Problem(place, f"{name} has no transparent pixels: it is white on transparent")


def _png(path: Path) -> tuple[int, int, bool]:
    """A picture's width and height in pixels, and whether it has an alpha channel or names
    transparent colors.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a PNG.
    """
    content = path.read_bytes()
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 29:
        raise ValueError("it is not a PNG file")
    width, height, _, color_type = struct.unpack(">IIBB", content[16:26])
    return width, height, color_type in _WITH_ALPHA or b"tRNS" in content


def language_files(strings: Strings) -> dict[Place, str]:
    """The names of the files of other languages, by their place in the manifest.

    Args:
        strings: of the manifest, by place.
    """
    return {
        place: name
        for place, name in strings.items()
        if place[0] == "localizationInfo" and place[-1] in {"defaultLanguageFile", "file"}
    }


def _languages(strings: Strings, folder: Path) -> Iterator[Problem]:
    """Each file must be there, and its texts must not be too long."""
    for place, name in language_files(strings).items():
        path = folder / name
        try:
            texts = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            yield Problem(place, f"{path} cannot be used: {error}")
            continue
        if not isinstance(texts, dict) or not path.resolve().is_relative_to(folder.resolve()):
            yield Problem(place, f"{name} is not a JSON object in {folder}")
            continue
        schema = schema_file(texts)
        for each in schema_problems(texts, schema) if schema else ():
            yield Problem(place, f"{name}{pointer(each.place)}: {each.text}")


def schema_file(document: Mapping[str, Any]) -> Path | None:
    """The file of Microsoft's schema that a document names with `$schema`, as the workbench brings
    it along; None: it is not installed.

    Args:
        document: a manifest, or a language's file, parsed.
    """
    url = str(document.get("$schema", ""))
    _, _, path = url.partition("/json-schemas/")
    file = (SCHEMAS.folder / path).resolve()
    known = url.startswith(SCHEMA_HOST) and path and file.is_relative_to(SCHEMAS.folder.resolve())
    return file if known and file.is_file() else None


def schema_problems(document: Mapping[str, Any], file: Path) -> Iterator[Problem]:
    """The violations of the schema in a document.

    It names draft 4, but has `const`, `if`, and members beside `$ref`, which are of later drafts.
    Microsoft's own validator knows them, too.

    Args:
        document: parsed, with values in place of its variables.
        file: of the schema.
    """
    validator = Draft201909Validator(json.loads(file.read_text("utf-8")))
    for error in validator.iter_errors(document):
        yield Problem(tuple(error.absolute_path), error.message)
