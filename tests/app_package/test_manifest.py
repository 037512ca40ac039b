"""The manifest: Microsoft's validator takes it, and its parts agree with each other."""

import json
import re
from typing import Any

import pytest

from admin.app_package.app_values import AppValues
from admin.app_package.filled_manifest import FilledManifest
from admin.app_package.known_bot import KnownBot
from admin.app_package.package import AppPackage
from admin.app_package.rules import broken_rules
from admin.app_package.schema import schema_file
from app_package import icons
from auth import clouds
from tests.app_package.conftest import MANIFEST, VALUES, SchemaErrors
from tests.support.project import ROOT

PAGE = (ROOT / "docs" / "teams-app.md").read_text("utf-8")
BLOCK = re.compile(r"^```json\n(.*?)^```", re.M | re.S)
FEATURES = [json.loads(f"{{{block}}}") for block in BLOCK.findall(PAGE)]
"""The members of a manifest that the page shows, for what the sample bot does not do."""

URL_OF_SCHEMA = (
    "https://developer.microsoft.com/json-schemas/teams/v1.30/MicrosoftTeams.schema.json"
)


def filled(member: Any) -> Any:
    """A part of a manifest with values in place of its variables."""
    text = json.dumps(member)
    return json.loads(re.sub(r"\$\{\{(\w+)\}\}", lambda match: VALUES[match[1]], text))


def extended(manifest: dict[str, Any], feature: dict[str, Any]) -> dict[str, Any]:
    """A manifest with a feature's members; those of its bot are added to the bot."""
    members: dict[str, Any] = filled(feature)
    bot: dict[str, Any] = manifest["bots"][0] | members.pop("bots", [{}])[0]
    return manifest | members | {"bots": [bot]}


def test_the_published_schema_accepts_it(
    manifest: dict[str, Any], schema_errors: SchemaErrors
) -> None:
    """Microsoft's package finds nothing, with the schema of version 1.30 that it ships."""
    assert manifest["manifestVersion"] == "1.30"
    assert manifest["$schema"] == URL_OF_SCHEMA
    assert schema_errors([manifest]) == [[]]


@pytest.mark.usefixtures("validators")
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


def test_the_features_of_the_page_can_be_added(
    manifest: dict[str, Any], schema_errors: SchemaErrors
) -> None:
    """What the page shows of single sign-on, files and message extensions is valid, one by one."""
    assert [list(feature) for feature in FEATURES] == [
        ["webApplicationInfo"],
        ["bots"],
        ["composeExtensions"],
    ]
    assert schema_errors([extended(manifest, feature) for feature in FEATURES]) == [[], [], []]


def test_all_features_together(
    manifest: dict[str, Any], schema_errors: SchemaErrors, tmp_path: Any
) -> None:
    """They can be added to one manifest, and `make app-package` takes it."""
    for feature in FEATURES:
        manifest = extended(manifest, feature)
    assert {"webApplicationInfo", "composeExtensions"} <= manifest.keys()
    assert manifest["bots"][0]["supportsFiles"] is True
    assert schema_errors([manifest]) == [[]]
    for name in icons.ICONS:
        (tmp_path / name).write_bytes((MANIFEST.parent / name).read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / ".env").write_text("", "utf-8")
    values = AppValues(tmp_path / ".env", VALUES, KnownBot())
    assert AppPackage(tmp_path / "manifest.json", values, KnownBot()).examples == ()


def test_the_message_extension_is_the_examples() -> None:
    """The page's commands are those that examples/message_extension handles, as extend.md has
    them."""
    [extension] = [each["composeExtensions"][0] for each in FEATURES if "composeExtensions" in each]
    page = (ROOT / "docs" / "extend.md").read_text("utf-8")
    [block] = [block for block in BLOCK.findall(page) if '"composeExtensions"' in block]
    [shown] = json.loads(f"{{{block}}}")["composeExtensions"]
    assert extension["commands"] == shown["commands"]
    code = (ROOT / "examples" / "message_extension" / "bot.py").read_text("utf-8")
    assert "on_teams_messaging_extension_query" in code
    assert "on_teams_messaging_extension_submit_action" in code
    [action] = [each for each in extension["commands"] if each["type"] == "action"]
    for parameter in action["parameters"]:
        assert f'form.get("{parameter["name"]}")' in code


def test_the_bot_is_the_same_everywhere(manifest: dict[str, Any]) -> None:
    """The bot's id is a variable wherever the manifest or the page names it."""
    text = MANIFEST.read_text("utf-8") + "".join(BLOCK.findall(PAGE))
    assert set(re.findall(r'"botId": "([^"]*)"', text)) == {"${{BOT_ID}}"}
    assert re.findall(r"botid-([^\"]*)", text) == ["${{BOT_ID}}"]
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
