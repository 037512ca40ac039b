"""The text of a manifest that is written back: as a person would lay it out."""

import json
from typing import Any

_INDENT = "  "


def manifest_text(value: Any, indent: str = "") -> str:
    """JSON with a line for each member; a list of texts and numbers is one line.

    Args:
        value: parsed JSON.
        indent: of the line that the value starts in.
    """
    inner = indent + _INDENT
    if isinstance(value, dict) and value:
        lines = [
            f"{inner}{json.dumps(name, ensure_ascii=False)}: {manifest_text(each, inner)}"
            for name, each in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
        lines = [inner + manifest_text(each, inner) for each in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
