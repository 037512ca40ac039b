"""The files of other languages, which a manifest names in `localizationInfo`.

Source: Microsoft Teams, "Localize your app".
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from admin.app_package.checks.schema import schema_file, schema_problems
from admin.app_package.problems import Problem
from admin.migrate.managed_identity.json_text import Path as Place


def language_files(manifest: Mapping[str, Any]) -> dict[Place, str]:
    """The names of the files, by their place in the manifest."""
    info = manifest.get("localizationInfo") or {}
    root = ("localizationInfo",)
    named: dict[Place, str] = {}
    if "defaultLanguageFile" in info:
        named[(*root, "defaultLanguageFile")] = str(info["defaultLanguageFile"])
    for index, each in enumerate(info.get("additionalLanguages") or []):
        named[(*root, "additionalLanguages", index, "file")] = str(each.get("file", ""))
    return named


def language_problems(manifest: Mapping[str, Any], folder: Path) -> Iterator[Problem]:
    """What is wrong with the files: each must be there, and its texts must not be too long.

    Args:
        manifest: parsed.
        folder: of the manifest.
    """
    for place, name in language_files(manifest).items():
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
            yield Problem(place, f"{name}{each.pointer}: {each.text}")
