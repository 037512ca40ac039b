"""app_package/features: what each sets in the manifest, and that Microsoft's validator takes it."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.admin.app_package.checks import broken_rules
from bot_workbench.admin.app_package.filled_manifest import (
    FOLDER,
    FilledManifest,
    manifest_text,
    named_features,
)
from bot_workbench.admin.app_package.known_bot import KnownBot
from tests.app_package.conftest import (
    BOT_ID,
    MANIFEST,
    SSO_APP_ID,
    VALUES,
    SchemaErrors,
    without_features,
)
from tests.app_package.written_package import package_of
from tests.support.project import ROOT

FEATURES = ["files", "message_extension", "sso"]
COMBINATIONS = [names for size in range(1, 4) for names in itertools.combinations(FEATURES, size)]


def with_features(*names: str) -> FilledManifest:
    """The project's manifest with features of the project."""
    return FilledManifest(MANIFEST, VALUES, named_features(names, MANIFEST.parent))


def test_the_page_names_them() -> None:
    """The page has a line for each feature, with a link to its file."""
    page = (ROOT / "docs" / "teams-app.md").read_text("utf-8")
    for name in FEATURES:
        assert f"| [`{name}`](../app_package/features/{name}.json) |" in page


def test_the_published_schema_accepts_them(schema_errors: SchemaErrors) -> None:
    """Microsoft's package finds nothing in the manifest with any of the features, or all."""
    assert len(COMBINATIONS) == 7
    manifests = [with_features(*names).value for names in COMBINATIONS]
    assert schema_errors(manifests) == [[]] * 7


@pytest.mark.parametrize("names", COMBINATIONS, ids="-".join)
def test_no_rule_is_broken(names: tuple[str, ...]) -> None:
    """The project's rules find nothing either, and every variable is known."""
    manifest = with_features(*names)
    assert manifest.missing == ()
    assert list(broken_rules(manifest, MANIFEST.parent, KnownBot())) == []


def test_what_they_set(manifest: dict[str, Any]) -> None:
    """A feature's members are the manifest's, its bot's are the bot's, and the rest stays."""
    found = with_features(*FEATURES).value
    [extension] = found["composeExtensions"]
    assert extension["botId"] == BOT_ID
    assert found == manifest | {
        "webApplicationInfo": {"id": SSO_APP_ID, "resource": f"api://botid-{BOT_ID}"},
        "composeExtensions": [extension],
        "bots": [manifest["bots"][0] | {"supportsFiles": True}],
    }


def test_the_order_does_not_matter() -> None:
    """The features set different members, so that any order gives the same manifest."""
    orders = [with_features(*names).value for names in itertools.permutations(FEATURES)]
    assert all(each == orders[0] for each in orders)


def test_a_feature_once_or_twice_is_the_same() -> None:
    """A feature that is named twice, or that the manifest has already, changes nothing."""
    once = with_features("files", "sso")
    assert with_features("sso", "files", "sso").value == once.value


def test_a_manifest_is_laid_out_as_before() -> None:
    """The files have the layout that is written back, so a feature adds only its lines."""
    for file in [MANIFEST, *(MANIFEST.parent / FOLDER).glob("*.json")]:
        text = file.read_text("utf-8")
        assert f"{manifest_text(json.loads(text))}\n" == text
    before = MANIFEST.read_text("utf-8").replace(",\n", "\n").splitlines()
    after = with_features(*FEATURES).template.replace(",\n", "\n").splitlines()
    assert {line.strip() for line in before if line not in after} <= {'"supportsFiles": false'}


@pytest.mark.parametrize("content", ["[]", "{}", '[{"a": [1, "b"]}, 2]', '{"é": {"\\"": [null]}}'])
def test_any_json_stays_what_it_is(content: str) -> None:
    """The layout changes no value, and escapes no letter."""
    text = manifest_text(json.loads(content))
    assert json.loads(text) == json.loads(content)
    assert ("é" in text) == ("é" in content)


def test_line_endings_stay(tmp_path: Path) -> None:
    """A manifest with Windows' line endings keeps them."""
    path = tmp_path / "manifest.json"
    path.write_bytes(MANIFEST.read_bytes().replace(b"\n", b"\r\n"))
    features = named_features(["files"], MANIFEST.parent)
    text = FilledManifest(path, VALUES, features).template
    assert text.count("\r\n") == text.count("\n") > 50


def test_a_feature_that_is_there_leaves_the_text(manifest: dict[str, Any], tmp_path: Path) -> None:
    """A manifest that has a feature already is packed as its author wrote it."""
    manifest["bots"][0]["supportsFiles"] = True
    package = package_of(manifest, tmp_path, features=named_features(["files"], MANIFEST.parent))
    package.write_manifest()
    assert (tmp_path / "manifest.json").read_text("utf-8") == json.dumps(manifest)


@pytest.mark.parametrize("cloud", ["USGovernment", "China"])
def test_other_clouds_have_no_files(manifest: dict[str, Any], cloud: str, tmp_path: Path) -> None:
    """Teams of the US Government and of China lets bots have no files."""
    azd = KnownBot({"BOT_CLOUD": cloud})
    manifest["validDomains"][1] = azd.token_domain
    package_of(without_features(manifest), tmp_path, azd)
    found = FilledManifest(
        tmp_path / "manifest.json", VALUES, named_features(["files"], MANIFEST.parent)
    )
    [problem] = broken_rules(found, tmp_path, azd)
    assert problem.place == ("bots", 0, "supportsFiles")
    assert "no files" in problem.text
