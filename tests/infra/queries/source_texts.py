"""Lines of the log, made of the texts that the code has."""

import ast
from functools import cache
from pathlib import Path

from tests.support.project import ROOT


def logged(file: str, text: str, *arguments: object) -> str:
    """A line that a file of the app logs.

    Args:
        file: the path of the file.
        text: the whole text, as the code has it: for `%`, or the first part of an f-string.
        arguments: for `%`.

    Raises:
        AssertionError: the file has no such text.
    """
    assert text in _texts(ROOT / file), f"{file} does not log {text!r}"
    return text % arguments if arguments else text


def raised(text: str) -> str:
    """A part of an error's text, as a file of auth or cloud_adapter has it.

    Raises:
        AssertionError: no file has it.
    """
    files = [*ROOT.glob("auth/**/*.py"), *ROOT.glob("cloud_adapter/**/*.py")]
    assert any(text in each for file in files for each in _texts(file)), f"nobody says {text!r}"
    return text


def all_logged() -> frozenset[str]:
    """Every text that auth and cloud_adapter log, as the code has it: for `%`."""
    files = [*ROOT.glob("auth/**/*.py"), *ROOT.glob("cloud_adapter/**/*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    return frozenset(
        text.value
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
        for text in node.args[:1]
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    )


@cache
def _texts(file: Path) -> frozenset[str]:
    """The strings of a file; of an f-string, what stands between its values."""
    tree = ast.parse(file.read_text("utf-8"))
    constants = (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
    return frozenset(each for each in constants if isinstance(each, str))
