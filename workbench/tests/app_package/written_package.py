"""A package of a manifest that a test has changed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app_package import icons
from bot_workbench.admin.app_package.filled_manifest import Feature
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.package import AppPackage, AppValues
from tests.app_package.conftest import MANIFEST, VALUES


def package_of(
    manifest: Mapping[str, Any],
    folder: Path,
    azd: KnownBot | None = None,
    features: Sequence[Feature] = (),
) -> AppPackage:
    """The package of a manifest, with the project's icons."""
    for name in icons.ICONS:
        (folder / name).write_bytes((MANIFEST.parent / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / ".env").write_text("", "utf-8")
    azd = azd or KnownBot()
    values = AppValues(folder / ".env", VALUES, azd)
    return AppPackage(folder / "manifest.json", values, azd, features)
