"""The files of other languages, which a manifest names in `localizationInfo`.

Source: Microsoft Teams, "Localize your app".
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot_workbench.admin.app_package.checks.schema import schema_file, schema_problems
from bot_workbench.admin.app_package.problems import Problem
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place


def language_files(strings: Mapping[Place, str]) -> dict[Place, str]:
    """The names of the files, by their place in the manifest.

    Args:
        strings: of the manifest, by place.
    """
    return {
        place: name
        for place, name in strings.items()
        if place[0] == "localizationInfo" and place[-1] in {"defaultLanguageFile", "file"}
    }


def language_problems(strings: Mapping[Place, str], folder: Path) -> Iterator[Problem]:
    """The problems of the files: each must be there, and its texts must not be too long.

    Args:
        strings: of the manifest, by place.
        folder: of the manifest.
    """
    for place, name in language_files(strings).items():
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
