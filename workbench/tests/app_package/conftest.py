"""The manifest with values in place of its variables, and what the published validators say."""

import copy
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.admin.app_package.filled_manifest import FilledManifest
from bot_workbench.setup.tools import SCHEMAS
from maintenance.tools import VALIDATORS
from tests.support.project import ROOT

BOT_ID = "11111111-2222-4333-8444-555555555555"
SSO_APP_ID = "33333333-2222-4333-8444-555555555555"
VALUES = {
    "TEAMS_APP_ID": "99999999-2222-4333-8444-555555555555",
    "BOT_ID": BOT_ID,
    "BOT_DOMAIN": "func-canteen.azurewebsites.net",
    "APP_NAME": "Canteen",
    "DEVELOPER_NAME": "The canteen",
    "DEVELOPER_WEBSITE_URL": "https://canteen.test",
    "DEVELOPER_PRIVACY_URL": "https://canteen.test/privacy",
    "DEVELOPER_TERMS_URL": "https://canteen.test/terms",
    "SSO_APP_ID": SSO_APP_ID,
}
MANIFEST = ROOT / "app_package" / "manifest.json"


def without_features(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest that offers a bot alone: `WRITE_MANIFEST=1` may have written more to it."""
    members = {"webApplicationInfo", "composeExtensions"}
    bots = [each | {"supportsFiles": False} for each in manifest["bots"]]
    kept = {name: value for name, value in manifest.items() if name not in members}
    return kept | {"bots": bots}


MISSING: Any = object()
"""In place of a value: nothing is there."""


def changed(document: Any, pointer: str, value: Any) -> Any:
    """A copy of a document, with another value at a place (a JSON pointer), or with `MISSING`.

    The place after the last of a list is at its end.
    """
    copied = copy.deepcopy(document)
    target = copied
    *names, last = (int(each) if each.isdigit() else each for each in pointer.split("/")[1:])
    for each in names:
        target = target[each]
    if value is MISSING:
        del target[last]
    elif isinstance(target, list):
        target[int(last) : int(last) + 1] = [value]
    else:
        target[last] = value
    return copied


SchemaErrors = Callable[[Sequence[Mapping[str, Any]]], list[list[str]]]
"""What Microsoft's validator says of parsed manifests: a list of errors for each."""


@pytest.fixture
def manifest() -> dict[str, Any]:
    """The project's manifest, filled in; a test may change it."""
    return FilledManifest(MANIFEST, VALUES).value


@pytest.fixture(scope="session")
def validators() -> Path:
    """The folder of the published validators."""
    if not VALIDATORS.is_done():
        pytest.skip("`make test ALL=1` installs them, with npm")
    return VALIDATORS.folder


@pytest.fixture(scope="session")
def schemas() -> None:
    """The command's schemas are installed."""
    if not SCHEMAS.is_done():
        pytest.skip("`make setup` installs them, with npm")


@pytest.fixture(scope="session")
def schema_errors(validators: Path, tmp_path_factory: pytest.TempPathFactory) -> SchemaErrors:
    """Microsoft's own validator; it has the schema, and would raise if it fetched one.

    It takes seconds to start, so one call checks many manifests.
    """

    def errors(manifests: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        folder = tmp_path_factory.mktemp("manifests")
        files = [folder / f"{number}.json" for number in range(len(manifests))]
        for file, manifest in zip(files, manifests, strict=True):
            file.write_text(json.dumps(manifest), "utf-8")
        program = Path(__file__).parent / "schema_errors.js"
        done = subprocess.run(
            ["node", str(program), *map(str, files)],  # noqa: S607
            env=os.environ | {"NODE_PATH": str(validators / "node_modules")},
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[list[str]] = json.loads(done.stdout)
        return found

    return errors
