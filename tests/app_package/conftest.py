"""The manifest with values in place of its variables, and what the published validators say."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from admin.app_package.filled_manifest import FilledManifest
from tests.support.project import ROOT

VALIDATORS = ROOT / ".cache" / "validators"
BOT_ID = "11111111-2222-4333-8444-555555555555"
VALUES = {
    "TEAMS_APP_ID": "99999999-2222-4333-8444-555555555555",
    "BOT_ID": BOT_ID,
    "BOT_DOMAIN": "func-canteen.azurewebsites.net",
    "APP_NAME": "Canteen",
    "DEVELOPER_NAME": "The canteen",
    "DEVELOPER_WEBSITE_URL": "https://canteen.test",
    "DEVELOPER_PRIVACY_URL": "https://canteen.test/privacy",
    "DEVELOPER_TERMS_URL": "https://canteen.test/terms",
    "SSO_APP_ID": BOT_ID,
}
MANIFEST = ROOT / "app_package" / "manifest.json"

SchemaErrors = Callable[[Mapping[str, Any]], list[str]]
"""What Microsoft's validator says of a parsed manifest."""


@pytest.fixture
def manifest() -> dict[str, Any]:
    """The project's manifest, filled in; a test may change it."""
    return FilledManifest(MANIFEST, VALUES).value


@pytest.fixture(scope="session")
def validators() -> Path:
    """The folder of the published validators."""
    if not (VALIDATORS / ".ready").exists():
        pytest.skip("`make validators` installs them, with npm")
    return VALIDATORS


@pytest.fixture
def schema_errors(validators: Path, tmp_path: Path) -> SchemaErrors:
    """Microsoft's own validator; it has the schema, and would raise if it fetched one."""

    def errors(manifest: Mapping[str, Any]) -> list[str]:
        file = tmp_path / "manifest.json"
        file.write_text(json.dumps(manifest), "utf-8")
        done = subprocess.run(
            ["node", str(Path(__file__).parent / "schema_errors.js"), str(file)],  # noqa: S607
            env=os.environ | {"NODE_PATH": str(validators / "node_modules")},
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[str] = json.loads(done.stdout)
        return found

    return errors
