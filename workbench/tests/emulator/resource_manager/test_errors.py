"""The table of errors: every refusal in the code names a row, and gives what its text needs."""

import ast
import string
from pathlib import Path

from bot_workbench.emulator import resource_manager
from bot_workbench.emulator.resource_manager.errors import ERRORS

FOLDER = Path(next(iter(resource_manager.__path__)))
MAKERS = {"error", "_unauthenticated"}
"""The functions that make an error of the table."""


def refusals() -> list[tuple[str, set[str]]]:
    """The key and the names of the values of each refusal in the code."""
    found = []
    for file in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, key = getattr(node.func, "attr", getattr(node.func, "id", "")), node.args[0]
            if name in MAKERS and isinstance(key, ast.Constant):
                found.append((str(key.value), {str(each.arg) for each in node.keywords}))
    return found


def test_each_refusal_has_its_text() -> None:
    """A key or a value that is missing would be a 500 where a client expects the refusal."""
    for key, values in refusals():
        fields = {name for _, name, _, _ in string.Formatter().parse(ERRORS[key][1]) if name}
        assert values == fields, key


def test_each_row_is_used() -> None:
    """No text outlives its refusal."""
    assert {key for key, _ in refusals()} == set(ERRORS)
