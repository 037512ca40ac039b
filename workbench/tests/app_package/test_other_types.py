"""Manifests with a value of another type are refused or packed; nothing else is raised."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.admin.app_package.filled_manifest import FilledManifest, named_features
from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused
from tests.app_package.conftest import MANIFEST, VALUES, changed
from tests.app_package.written_package import package_of

Json = Any

VALUES_OF_OTHER_TYPES: list[Json] = [1, "https://[", [], [1], {}, {"personal": 1}]
LANGUAGES = {"defaultLanguageTag": "en", "additionalLanguages": [{"languageTag": "de", "file": ""}]}


def pointers(value: Json, pointer: str = "") -> Iterator[str]:
    """The places (JSON pointers) of all that is in a value."""
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    if isinstance(value, list):
        members = enumerate(value)
    for name, each in members:
        yield f"{pointer}/{name}"
        yield from pointers(each, f"{pointer}/{name}")


@pytest.mark.parametrize("other", VALUES_OF_OTHER_TYPES, ids=json.dumps)
def test_a_value_of_another_type(other: Json, tmp_path: Path) -> None:
    """Without a schema to refuse it first, too, any value at any place gives a zip or reasons."""
    features = named_features(["sso", "files", "message_extension"], MANIFEST.parent)
    manifest = FilledManifest(MANIFEST, VALUES, features).value | {"localizationInfo": LANGUAGES}
    del manifest["$schema"]
    found = list(pointers(manifest))
    assert "/bots/0/scopes/2" in found
    refused = 0
    for pointer in found:
        try:
            package_of(changed(manifest, pointer, other), tmp_path).write(tmp_path / "app.zip")
        except FilesRefused:
            refused += 1
    assert refused > 5
