"""The manifest: Microsoft's validator takes it, and its parts agree with each other."""

import json
import re
from typing import Any

import pytest

from app_package import icons
from auth import clouds
from bot_workbench.admin.app_package.checks import broken_rules, schema_file
from bot_workbench.admin.app_package.filled_manifest import FOLDER, FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from tests.app_package.conftest import MANIFEST, VALUES, SchemaErrors

URL_OF_SCHEMA = (
    "https://developer.microsoft.com/json-schemas/teams/v1.30/MicrosoftTeams.schema.json"
)


def test_the_published_schema_accepts_it(
    manifest: dict[str, Any], schema_errors: SchemaErrors
) -> None:
    """Microsoft's package finds nothing, with the schema of version 1.30 that it ships."""
    assert manifest["manifestVersion"] == "1.30"
    assert manifest["$schema"] == URL_OF_SCHEMA
    assert schema_errors([manifest]) == [[]]


@pytest.mark.usefixtures("schemas")
def test_the_command_reads_the_same_schema(manifest: dict[str, Any]) -> None:
    """`make app-package` checks with the file that Microsoft's package has for the version."""
    file = schema_file(manifest)
    assert file is not None
    assert json.loads(file.read_text("utf-8"))["properties"]["manifestVersion"]["const"] == "1.30"


def test_no_rule_is_broken() -> None:
    """The project's rules find nothing either."""
    manifest = FilledManifest(MANIFEST, VALUES)
    assert manifest.missing == ()
    assert list(broken_rules(manifest, MANIFEST.parent, KnownBot())) == []


def test_the_bot_is_the_same_everywhere(manifest: dict[str, Any]) -> None:
    """The bot's id is a variable wherever the manifest or a feature names it.

    In the resource of single sign-on, it may be the app registration's.
    """
    files = [MANIFEST, *sorted((MANIFEST.parent / FOLDER).glob("*.json"))]
    text = "".join(file.read_text("utf-8") for file in files)
    assert set(re.findall(r'"botId": "([^"]*)"', text)) == {"${{BOT_ID}}"}
    assert set(re.findall(r"botid-([^\"]*)", text)) <= {"${{BOT_ID}}", "${{SSO_APP_ID}}"}
    assert manifest["bots"][0]["botId"] == VALUES["BOT_ID"]


def test_the_command_list_is_for_the_bots_scopes(manifest: dict[str, Any]) -> None:
    """Commands are offered wherever the bot can be added, once each."""
    [bot] = manifest["bots"]
    listed = [scope for each in bot["commandLists"] for scope in each["scopes"]]
    assert sorted(listed) == sorted(bot["scopes"])
    assert manifest["defaultInstallScope"] in bot["scopes"]
    assert {scope.lower() for scope in bot["scopes"]} == {
        "personal",
        *manifest["defaultGroupCapability"],
    }
    for commands in (each["commands"] for each in bot["commandLists"]):
        titles = [each["title"] for each in commands]
        assert len(set(titles)) == len(titles)


def test_users_can_sign_in(manifest: dict[str, Any]) -> None:
    """Teams opens the sign-in page of the public cloud's token service."""
    [domain] = set(manifest["validDomains"]) - {VALUES["BOT_DOMAIN"]}
    assert f"https://{domain}" == clouds.PUBLIC.token_service_url


def test_the_icons_are_the_scripts(manifest: dict[str, Any]) -> None:
    """The manifest names the files that the script draws, and their background."""
    assert manifest["icons"] == {"color": "color.png", "outline": "outline.png"}
    assert manifest["accentColor"] == "#" + "".join(f"{part:02X}" for part in icons.ACCENT)


def test_it_has_one_language(manifest: dict[str, Any]) -> None:
    """There are no files of other languages, whose lengths would have to be checked as well."""
    assert "localizationInfo" not in manifest
