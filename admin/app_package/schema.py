"""Microsoft's JSON schema of the manifest, which `make validators` installs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from admin.app_package.problems import Problem

SCHEMAS = (
    Path(__file__)
    .parents[2]
    .joinpath(
        ".cache",
        "validators",
        "node_modules",
        "@microsoft",
        "app-manifest",
        "build",
        "json-schemas",
    )
)
HOST = "https://developer.microsoft.com/"


def schema_file(manifest: dict[str, Any], folder: Path = SCHEMAS) -> Path | None:
    """The file of the schema that a manifest names with `$schema`; None: it is not installed.

    Args:
        manifest: parsed.
        folder: of the package @microsoft/app-manifest.
    """
    url = str(manifest.get("$schema", ""))
    _, _, path = url.partition("/json-schemas/")
    file = (folder / path).resolve()
    known = url.startswith(HOST) and path and file.is_relative_to(folder.resolve())
    return file if known and file.is_file() else None


def schema_problems(manifest: dict[str, Any], file: Path) -> Iterator[Problem]:
    """What the schema says of a manifest.

    It names draft 4, but has `const` and `if`, which are of drafts 6 and 7. Microsoft's own
    validator knows them, too.

    Args:
        manifest: parsed, with values in place of its variables.
        file: of the schema.
    """
    validator = Draft7Validator(json.loads(file.read_text("utf-8")))
    for error in validator.iter_errors(manifest):
        yield Problem(tuple(error.absolute_path), error.message)
