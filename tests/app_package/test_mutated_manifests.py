"""Manifests with one mistake each are refused, for that mistake."""

import copy
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.app_package.filled_manifest import FilledManifest
from admin.app_package.known_bot import KnownBot
from admin.app_package.problems import PackageRefused
from tests.app_package.conftest import (
    BOT_ID,
    MANIFEST,
    VALUES,
    SchemaErrors,
    package_of,
    without_features,
)

Json = Any
Mutation = Callable[[Json], object]

SINGLE_SIGN_ON = {"id": BOT_ID, "resource": f"api://botid-{BOT_ID}"}
SEARCH = {"id": "search", "title": "Find", "parameters": [{"name": "title", "title": "Title"}]}
OTHER_BOT = "22222222-2222-4333-8444-555555555555"

SCHEMA: dict[str, tuple[Mutation, str]] = {
    "another version of the schema": (
        lambda m: m.update(manifestVersion="1.29"),
        "/manifestVersion must be equal to constant",
    ),
    "no id": (lambda m: m.pop("id"), "must have required property 'id'"),
    "no version": (lambda m: m.pop("version"), "must have required property 'version'"),
    "no accent color": (lambda m: m.pop("accentColor"), "required property 'accentColor'"),
    "a color by name": (lambda m: m.update(accentColor="blue"), "/accentColor must match pattern"),
    "an id that is not a GUID": (lambda m: m.update(id="my-bot"), "/id must match pattern"),
    "a long name": (
        lambda m: m["name"].update(short="x" * 31),
        "/name/short must NOT have more than 30",
    ),
    "a long full name": (
        lambda m: m["name"].update(full="x" * 101),
        "/name/full must NOT have more than 100",
    ),
    "a long short description": (
        lambda m: m["description"].update(short="x" * 81),
        "/description/short must NOT have more than 80",
    ),
    "a long description": (
        lambda m: m["description"].update(full="x" * 4001),
        "/description/full must NOT have more than 4000",
    ),
    "no full description": (lambda m: m["description"].pop("full"), "required property 'full'"),
    "a long developer's name": (
        lambda m: m["developer"].update(name="x" * 33),
        "/developer/name must NOT have more than 32",
    ),
    "no privacy statement": (
        lambda m: m["developer"].pop("privacyUrl"),
        "/developer must have required property 'privacyUrl'",
    ),
    "no terms of use": (
        lambda m: m["developer"].pop("termsOfUseUrl"),
        "/developer must have required property 'termsOfUseUrl'",
    ),
    "a website without a scheme": (
        lambda m: m["developer"].update(websiteUrl="www.canteen.test"),
        "/developer/websiteUrl must match pattern",
    ),
    "no outline icon": (lambda m: m["icons"].pop("outline"), "required property 'outline'"),
    "two bots": (
        lambda m: m["bots"].append(copy.deepcopy(m["bots"][0])),
        "/bots must NOT have more than 1",
    ),
    "no bot id": (lambda m: m["bots"][0].pop("botId"), "/bots/0 must have required property"),
    "an unknown scope": (
        lambda m: m["bots"][0]["scopes"].append("meeting"),
        "/bots/0/scopes/3 must be equal to one of the allowed values",
    ),
    "a misspelt member": (
        lambda m: m["bots"][0].update(supportFiles=True),
        '/bots/0 must NOT have additional properties. Details: {"additionalProperty":"supportF',
    ),
    "thirteen commands": (
        lambda m: m["bots"][0]["commandLists"][0].update(commands=[{"title": "help"}] * 13),
        "/bots/0/commandLists/0/commands must NOT have more than 12",
    ),
    "a command without a title": (
        lambda m: m["bots"][0]["commandLists"][0]["commands"][0].pop("title"),
        "/commands/0 must have required property 'title'",
    ),
    "a command list for no scope": (
        lambda m: m["bots"][0]["commandLists"][0].pop("scopes"),
        "/bots/0/commandLists/0 must have required property 'scopes'",
    ),
    "an unknown permission": (
        lambda m: m.update(permissions=["mail"]),
        "/permissions/0 must be equal to one of the allowed values",
    ),
    "an extension's command without an id": (
        lambda m: m.update(composeExtensions=[{"botId": BOT_ID, "commands": [{"title": "Find"}]}]),
        "/composeExtensions/0/commands/0 must have required property 'id'",
    ),
    "an extension's command of an unknown type": (
        lambda m: m.update(
            composeExtensions=[{"botId": BOT_ID, "commands": [SEARCH | {"type": "search"}]}]
        ),
        "/composeExtensions/0/commands/0/type must be equal to one of the allowed values",
    ),
    "single sign-on without an id": (
        lambda m: m.update(webApplicationInfo={"resource": "api://x"}),
        "/webApplicationInfo must have required property 'id'",
    ),
    "an unknown place to install": (
        lambda m: m.update(defaultInstallScope="chat"),
        "/defaultInstallScope must be equal to one of the allowed values",
    ),
    "a member that is in no version": (
        lambda m: m.update(botId=BOT_ID),
        'must NOT have additional properties. Details: {"additionalProperty":"botId"}',
    ),
}
"""What Microsoft's validator says."""

RULES: dict[str, tuple[Mutation, str]] = {
    "a version of two numbers": (lambda m: m.update(version="1.0"), "/version: '1.0' is not"),
    "a version with a suffix": (lambda m: m.update(version="1.0.0-beta"), "/version: '1.0.0-b"),
    "an id of zeros": (
        lambda m: m.update(id="00000000-0000-0000-0000-000000000000"),
        "/id: the GUID of zeros",
    ),
    "a bot id of zeros": (
        lambda m: m["bots"][0].update(botId="00000000-0000-0000-0000-000000000000"),
        "/bots/0/botId: the GUID of zeros",
    ),
    "an extension of another bot": (
        lambda m: m.update(composeExtensions=[{"botId": OTHER_BOT, "commands": [SEARCH]}]),
        f"/composeExtensions/0/botId: another bot than {BOT_ID}",
    ),
    "an agent of another bot": (
        lambda m: m.update(
            copilotAgents={"customEngineAgents": [{"type": "bot", "id": OTHER_BOT}]}
        ),
        f"/copilotAgents/customEngineAgents/0/id: another bot than {BOT_ID}",
    ),
    "a domain with a scheme": (
        lambda m: m["validDomains"].append("https://canteen.test"),
        "/validDomains/2: 'https://canteen.test' is not a public host name",
    ),
    "a domain with a path": (
        lambda m: m["validDomains"].append("canteen.test/api"),
        "/validDomains/2: 'canteen.test/api' is not a public host name",
    ),
    "this machine": (
        lambda m: m["validDomains"].append("localhost"),
        "/validDomains/2: 'localhost' is not a public host name",
    ),
    "an address": (
        lambda m: m["validDomains"].append("10.0.0.4"),
        "/validDomains/2: '10.0.0.4' is not a public host name",
    ),
    "everybody's domain": (
        lambda m: m["validDomains"].append("*.azurewebsites.net"),
        "/validDomains/2: *.azurewebsites.net is everybody's",
    ),
    "a website over http": (
        lambda m: m["developer"].update(websiteUrl="http://canteen.test"),
        "/developer/websiteUrl: 'http://canteen.test' is not an https URL",
    ),
    "terms on this machine": (
        lambda m: m["developer"].update(termsOfUseUrl="https://localhost:53000/terms"),
        "/developer/termsOfUseUrl: 'https://localhost:53000/terms' is not an https URL",
    ),
    "single sign-on for another bot": (
        lambda m: m.update(
            webApplicationInfo=SINGLE_SIGN_ON | {"resource": f"api://botid-{OTHER_BOT}"}
        ),
        f"/webApplicationInfo/resource: Teams expects api://botid-{BOT_ID}",
    ),
    "single sign-on without a resource": (
        lambda m: m.update(webApplicationInfo={"id": BOT_ID}),
        f"/webApplicationInfo/resource: Teams expects api://botid-{BOT_ID}",
    ),
    "an icon that is missing": (
        lambda m: m["icons"].update(color="logo.png"),
        "/icons/color: ",
    ),
    "the icons swapped": (
        lambda m: m["icons"].update(color="outline.png"),
        "/icons/color: outline.png is 32 x 32 pixels: Teams expects 192 x 192",
    ),
    "an icon outside of the folder": (
        lambda m: m["icons"].update(color="../color.png"),
        "/icons/color: ../color.png is not in",
    ),
    "a variable without a value": (
        lambda m: m["name"].update(full="${{FULL_NAME}}"),
        "FULL_NAME is empty: set it in",
    ),
}
"""What the project's rules say, which `make app-package` has beside the schema."""


@pytest.fixture
def manifest() -> Json:
    """The project's manifest without features, filled in."""
    return without_features(FilledManifest(MANIFEST, VALUES).value)


@pytest.fixture(scope="module")
def said(schema_errors: SchemaErrors) -> dict[str, list[str]]:
    """What Microsoft's validator says of each mutated manifest."""
    manifests = []
    for mutate, _ in SCHEMA.values():
        manifest = without_features(FilledManifest(MANIFEST, VALUES).value)
        mutate(manifest)
        manifests.append(manifest)
    return dict(zip(SCHEMA, schema_errors(manifests), strict=True))


@pytest.mark.parametrize("name", SCHEMA)
def test_microsofts_validator_refuses(name: str, said: dict[str, list[str]]) -> None:
    """The validator names the mistake, and nothing else."""
    [error] = said[name]
    assert SCHEMA[name][1] in error


@pytest.mark.usefixtures("validators")
@pytest.mark.parametrize("name", SCHEMA)
def test_the_command_refuses_what_the_schema_refuses(
    manifest: Json, name: str, tmp_path: Path
) -> None:
    """`make app-package` refuses the same manifests, with its own reading of the schema."""
    mutate, _ = SCHEMA[name]
    mutate(manifest)
    with pytest.raises(PackageRefused):
        package_of(manifest, tmp_path)


@pytest.mark.parametrize("name", RULES)
def test_the_rules_refuse(manifest: Json, name: str, tmp_path: Path) -> None:
    """The command names the mistake by its place in the manifest, and nothing else."""
    mutate, reason = RULES[name]
    mutate(manifest)
    with pytest.raises(PackageRefused) as refused:
        package_of(manifest, tmp_path)
    [found] = refused.value.reasons
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("azd", "change", "reason"),
    [
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
def test_the_manifest_fits_the_deployed_bot(
    manifest: Json, azd: dict[str, str], change: Json, reason: str, tmp_path: Path
) -> None:
    """What azd knows of the bot, its credential and its cloud, must agree with the manifest."""
    with pytest.raises(PackageRefused) as refused:
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


@pytest.mark.usefixtures("validators")
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
    with pytest.raises(PackageRefused) as refused:
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
    with pytest.raises(PackageRefused, match=re.escape(PLACE)):
        package_of(manifest | GERMAN, tmp_path)


def test_the_outline_must_be_transparent(manifest: Json, tmp_path: Path) -> None:
    """An outline icon without an alpha channel is refused."""
    package_of(manifest, tmp_path)
    outline = bytearray((tmp_path / "outline.png").read_bytes())
    outline[25] = 2  # the color type: red, green, blue
    (tmp_path / "opaque.png").write_bytes(outline)
    manifest["icons"]["outline"] = "opaque.png"
    with pytest.raises(PackageRefused, match=r"opaque\.png has no transparent pixels"):
        package_of(manifest, tmp_path)


def test_an_icon_must_be_a_png(manifest: Json, tmp_path: Path) -> None:
    """A picture of another format is refused, whatever its name."""
    (tmp_path / "photo.png").write_bytes(b"\xff\xd8\xff\xe0 JFIF")
    manifest["icons"]["color"] = "photo.png"
    with pytest.raises(PackageRefused, match="it is not a PNG file"):
        package_of(manifest, tmp_path)
