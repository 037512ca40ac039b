"""Manifests with one mistake each are refused, for that mistake."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.admin.app_package.filled_manifest import FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused
from tests.app_package.conftest import (
    BOT_ID,
    MANIFEST,
    MISSING,
    VALUES,
    SchemaErrors,
    changed,
    without_features,
)
from tests.app_package.written_package import package_of

Json = Any

SINGLE_SIGN_ON = {"id": BOT_ID, "resource": f"api://botid-{BOT_ID}"}
SEARCH = {"id": "search", "title": "Find", "parameters": [{"name": "title", "title": "Title"}]}
OTHER_BOT = "22222222-2222-4333-8444-555555555555"
CARD = {
    "id": "44444444-2222-4333-8444-555555555555",
    "displayName": "Menu",
    "description": "What there is today",
    "pickerGroupId": "55555555-2222-4333-8444-555555555555",
    "contentSource": {"sourceType": "bot", "botConfiguration": {"botId": OTHER_BOT}},
    "defaultSize": "medium",
}
ZEROS = "00000000-0000-0000-0000-000000000000"
COMMANDS = "/bots/0/commandLists/0/commands"
EXTRA = 'must NOT have additional properties. Details: {"additionalProperty":'
NOT_ALLOWED = "must be equal to one of the allowed values"

REQUIRED = [
    ("", "id"),
    ("", "version"),
    ("", "accentColor"),
    ("/description", "full"),
    ("/developer", "privacyUrl"),
    ("/developer", "termsOfUseUrl"),
    ("/icons", "outline"),
    ("/bots/0", "botId"),
    ("/bots/0/commandLists/0", "scopes"),
    (f"{COMMANDS}/0", "title"),
    ("/composeExtensions/0/commands/0", "id"),
    ("/webApplicationInfo", "id"),
]
UNKNOWN = [("", "botId"), ("/bots/0", "supportFiles")]
WRONG: list[tuple[str, Json, str]] = [
    ("/manifestVersion", "1.29", "must be equal to constant"),
    ("/id", "my-bot", "must match pattern"),
    ("/accentColor", "blue", "must match pattern"),
    ("/name/short", "x" * 31, "must NOT have more than 30"),
    ("/name/full", "x" * 101, "must NOT have more than 100"),
    ("/description/short", "x" * 81, "must NOT have more than 80"),
    ("/description/full", "x" * 4001, "must NOT have more than 4000"),
    ("/developer/name", "x" * 33, "must NOT have more than 32"),
    ("/developer/websiteUrl", "www.canteen.test", "must match pattern"),
    ("/bots", [{"botId": BOT_ID, "scopes": ["personal"]}] * 2, "must NOT have more than 1"),
    ("/bots/0/scopes/3", "meeting", NOT_ALLOWED),
    (COMMANDS, [{"title": "help"}] * 13, "must NOT have more than 12"),
    ("/permissions/0", "mail", NOT_ALLOWED),
    ("/composeExtensions/0/commands/0/type", "search", NOT_ALLOWED),
    ("/defaultInstallScope", "chat", NOT_ALLOWED),
]
SCHEMA: list[tuple[str, Json, str]] = [
    *(
        (f"{at}/{name}", MISSING, f"{at} must have required property '{name}'")
        for at, name in REQUIRED
    ),
    *((f"{at}/{name}", True, f'{at} {EXTRA}"{name}"') for at, name in UNKNOWN),
    *((at, value, f"{at} {said}") for at, value, said in WRONG),
]
"""A place, what is there, and how Microsoft's validator begins its error."""

RULES: list[tuple[str, Json, str]] = [
    ("/version", "1.0", "{!r} is not MAJOR.MINOR.PATCH"),
    ("/version", "1.0.0-beta", "{!r} is not MAJOR.MINOR.PATCH"),
    ("/id", ZEROS, "the GUID of zeros"),
    ("/bots/0/botId", ZEROS, "the GUID of zeros"),
    ("/validDomains/2", "https://canteen.test", "{!r} is not a public host name"),
    ("/validDomains/2", "canteen.test/api", "{!r} is not a public host name"),
    ("/validDomains/2", "localhost", "{!r} is not a public host name"),
    ("/validDomains/2", "bot.localhost", "{!r} is not a public host name"),
    ("/validDomains/2", "bot.local", "{!r} is not a public host name"),
    ("/validDomains/2", "10.0.0.4", "{!r} is not a public host name"),
    ("/validDomains/2", "*.azurewebsites.net", "{} is everybody's"),
    ("/developer/websiteUrl", "http://canteen.test", "{!r} is not an https URL"),
    ("/developer/websiteUrl", "https://[canteen.test", "{!r} is not an https URL"),
    ("/developer/termsOfUseUrl", "https://localhost:53000/terms", "{!r} is not an https URL"),
    ("/publisherDocsUrl", "http://canteen.test", "{!r} is not an https URL"),
    ("/icons/color", "logo.png", ""),
    ("/icons/color", "outline.png", "{} is 32 x 32 pixels: Teams expects 192 x 192"),
    ("/icons/color", "../color.png", "{} is not in"),
]
"""A place, what is there, and what the project's rules say, which `make app-package` has beside
the schema."""


@pytest.fixture
def manifest() -> Json:
    """The project's manifest without features, filled in."""
    return without_features(FilledManifest(MANIFEST, VALUES).value)


@pytest.fixture
def full(manifest: Json) -> Json:
    """The same, with a message extension and single sign-on."""
    extension = {"botId": BOT_ID, "commands": [SEARCH]}
    return manifest | {"composeExtensions": [extension], "webApplicationInfo": SINGLE_SIGN_ON}


def test_microsofts_validator_refuses(full: Json, schema_errors: SchemaErrors) -> None:
    """The validator names each mistake, and nothing else."""
    found = schema_errors([full, *(changed(full, at, value) for at, value, _ in SCHEMA)])
    assert found[0] == []
    beginnings = [
        [error[: len(said)] for error in errors]
        for (_, _, said), errors in zip(SCHEMA, found[1:], strict=True)
    ]
    assert beginnings == [[said] for _, _, said in SCHEMA]


@pytest.mark.usefixtures("schemas")
@pytest.mark.parametrize(("at", "value", "said"), SCHEMA, ids=[at for at, _, _ in SCHEMA])
def test_the_command_refuses_what_the_schema_refuses(
    full: Json, at: str, value: Json, said: str, tmp_path: Path
) -> None:
    """`make app-package` refuses the same manifests, with its own reading of the schema."""
    with pytest.raises(FilesRefused) as refused:
        package_of(changed(full, at, value), tmp_path)
    assert any(each.startswith(said.partition(" ")[0]) for each in refused.value.reasons)


@pytest.mark.parametrize(("at", "value", "said"), RULES, ids=[at for at, _, _ in RULES])
def test_the_rules_refuse(manifest: Json, at: str, value: Json, said: str, tmp_path: Path) -> None:
    """The command names the mistake by its place in the manifest, and nothing else."""
    with pytest.raises(FilesRefused) as refused:
        package_of(changed(manifest, at, value), tmp_path)
    [found] = refused.value.reasons
    assert found.startswith(f"{at}: {said.format(value)}")


def test_a_variable_without_a_value(manifest: Json, tmp_path: Path) -> None:
    """The command names the variable."""
    with pytest.raises(FilesRefused, match=r"\AFULL_NAME is empty: set it in"):
        package_of(changed(manifest, "/name/full", "${{FULL_NAME}}"), tmp_path)


@pytest.mark.parametrize(
    ("azd", "change", "reason"),
    [
        (
            {},
            {"composeExtensions": [{"botId": OTHER_BOT, "commands": [SEARCH]}]},
            f"/composeExtensions/0/botId: another bot than {BOT_ID}",
        ),
        (
            {},
            {"copilotAgents": {"customEngineAgents": [{"type": "bot", "id": OTHER_BOT}]}},
            f"/copilotAgents/customEngineAgents/0/id: another bot than {BOT_ID}",
        ),
        (
            {},
            {"dashboardCards": [CARD]},
            f"/dashboardCards/0/contentSource/botConfiguration/botId: another bot than {BOT_ID}",
        ),
        (
            {},
            {"webApplicationInfo": {"id": BOT_ID, "resource": f"api://botid-{OTHER_BOT}"}},
            f"/webApplicationInfo/resource: Teams expects api://botid-{BOT_ID}",
        ),
        (
            {},
            {"webApplicationInfo": {"id": BOT_ID}},
            f"/webApplicationInfo/resource: Teams expects api://botid-{BOT_ID}",
        ),
        (
            {"BOT_CREDENTIAL": "ManagedIdentity"},
            {"webApplicationInfo": SINGLE_SIGN_ON},
            "/webApplicationInfo/id: single sign-on needs an app registration",
        ),
        (
            {"BOT_CLOUD": "USGovernment"},
            {},
            "/validDomains/1: the token service of the bot's cloud is tokengcch.botframework.azure",
        ),
        (
            {"BOT_CLOUD": "China"},
            {},
            "/validDomains/1: the token service of the bot's cloud is token.botframework.azure.cn",
        ),
    ],
)
def test_the_manifest_fits_the_bot(
    manifest: Json, azd: dict[str, str], change: Json, reason: str, tmp_path: Path
) -> None:
    """The manifest has one bot, with what azd knows of its credential and its cloud."""
    with pytest.raises(FilesRefused) as refused:
        package_of(manifest | change, tmp_path, KnownBot(azd))
    [found] = refused.value.reasons
    assert found.startswith(reason)


@pytest.mark.parametrize("credential", ["Federated", "Certificate", "SignInVault"])
def test_an_app_registration_may_be_the_bots(
    manifest: Json, credential: str, tmp_path: Path
) -> None:
    """A bot with an app registration can use it for single sign-on, too."""
    azd = KnownBot({"BOT_CREDENTIAL": credential, "BOT_CLOUD": "Public"})
    package_of(manifest | {"webApplicationInfo": SINGLE_SIGN_ON}, tmp_path, azd)


def language(**texts: str) -> Json:
    """The file of a language, with these texts besides those that each must have."""
    needed = {"name.short": "Kantine", "description.short": "Essen", "description.full": "Essen."}
    schema = "https://developer.microsoft.com/json-schemas/teams/v1.30/"
    return {"$schema": f"{schema}MicrosoftTeams.Localization.schema.json"} | needed | texts


GERMAN = {
    "localizationInfo": {
        "defaultLanguageTag": "en",
        "additionalLanguages": [{"languageTag": "de", "file": "de.json"}],
    }
}
PLACE = "/localizationInfo/additionalLanguages/0/file: "


def test_languages_are_packed(manifest: Json, tmp_path: Path) -> None:
    """The files of other languages are in the zip."""
    (tmp_path / "de.json").write_text(json.dumps(language()), "utf-8")
    package_of(manifest | GERMAN, tmp_path).write(tmp_path / "app.zip")
    with zipfile.ZipFile(tmp_path / "app.zip") as packed:
        assert json.loads(packed.read("de.json"))["name.short"] == "Kantine"


@pytest.mark.usefixtures("schemas")
@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"name.short": "x" * 31}, "de.json/name.short: 'xxx"),
        ({"description.short": "x" * 81}, "de.json/description.short: 'xxx"),
        ({"description.full": "x" * 4001}, "de.json/description.full: 'xxx"),
        ({"bots[0].commandLists[0].commands[0].title": "x" * 129}, "de.json/bots[0].commandLists"),
        ({"bots[0].name": "Kantine"}, "de.json: "),
    ],
)
def test_texts_of_languages_have_limits(
    manifest: Json, texts: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """A language's text that is too long, or of no member, is refused."""
    (tmp_path / "de.json").write_text(json.dumps(language(**texts)), "utf-8")
    with pytest.raises(FilesRefused) as refused:
        package_of(manifest | GERMAN, tmp_path)
    [found] = refused.value.reasons
    assert found.startswith(PLACE + reason)


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_languages_file_must_be_there(
    manifest: Json, content: str | None, tmp_path: Path
) -> None:
    """A file that is missing, or is not a JSON object, is refused."""
    if content is not None:
        (tmp_path / "de.json").write_text(content, "utf-8")
    with pytest.raises(FilesRefused, match=re.escape(PLACE)):
        package_of(manifest | GERMAN, tmp_path)


def test_a_language_is_beside_the_manifest(manifest: Json, tmp_path: Path) -> None:
    """A file of another folder is refused."""
    folder = tmp_path / "app"
    folder.mkdir()
    (tmp_path / "de.json").write_text(json.dumps(language()), "utf-8")
    outside = changed(manifest | GERMAN, PLACE.removesuffix(": "), "../de.json")
    with pytest.raises(FilesRefused, match=re.escape(f"{PLACE}../de.json is not")):
        package_of(outside, folder)


def test_the_outline_must_be_transparent(manifest: Json, tmp_path: Path) -> None:
    """An outline icon without an alpha channel is refused."""
    package_of(manifest, tmp_path)
    outline = bytearray((tmp_path / "outline.png").read_bytes())
    outline[25] = 2  # the color type: red, green, blue
    (tmp_path / "opaque.png").write_bytes(outline)
    manifest["icons"]["outline"] = "opaque.png"
    with pytest.raises(FilesRefused, match=r"opaque\.png has no transparent pixels"):
        package_of(manifest, tmp_path)


def test_an_icon_must_be_a_png(manifest: Json, tmp_path: Path) -> None:
    """A picture of another format is refused, whatever its name."""
    (tmp_path / "photo.png").write_bytes(b"\xff\xd8\xff\xe0 JFIF")
    manifest["icons"]["color"] = "photo.png"
    with pytest.raises(FilesRefused, match="it is not a PNG file"):
        package_of(manifest, tmp_path)
