"""Microsoft's JSON schemas of manifests and their languages, as the workbench brings them along."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator

from bot_workbench.admin.app_package.problems import Problem
from bot_workbench.setup.tools import SCHEMAS

HOST = "https://developer.microsoft.com/"


def schema_file(document: Mapping[str, Any]) -> Path | None:
    """The file of the schema that a document names with `$schema`; None: it is not installed.

    Args:
        document: a manifest, or a language's file, parsed.
    """
    url = str(document.get("$schema", ""))
    _, _, path = url.partition("/json-schemas/")
    file = (SCHEMAS.folder / path).resolve()
    known = url.startswith(HOST) and path and file.is_relative_to(SCHEMAS.folder.resolve())
    return file if known and file.is_file() else None


def schema_problems(document: Mapping[str, Any], file: Path) -> Iterator[Problem]:
    """The violations of the schema in a document.

    It names draft 4, but has `const`, `if`, and members beside `$ref`, which are of later drafts.
    Microsoft's own validator knows them, too.

    Args:
        document: parsed, with values in place of its variables.
        file: of the schema.
    """
    validator = Draft201909Validator(json.loads(file.read_text("utf-8")))
    for error in validator.iter_errors(document):
        yield Problem(tuple(error.absolute_path), error.message)
