"""What runs on Windows: nothing there calls what only POSIX has.

mypy checks modules that have other names on Windows; `make check` runs it for that platform. These
are calls that exist on Windows and fail.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maintenance.targets import ON_WINDOWS
from tests.support.project import ROOT

ONLY_POSIX = {
    "add_signal_handler": "asyncio raises NotImplementedError",
    "remove_signal_handler": "asyncio raises NotImplementedError",
    "add_child_handler": "there is none",
    "create_unix_server": "asyncio has none",
    "open_unix_connection": "asyncio has none",
    "getppid": "it is the launcher of the virtual environment, if there is one",
    "symlink": "it needs a privilege",
    "symlink_to": "it needs a privilege",
}
"""Methods and functions by name, and what happens on Windows."""

ARGUMENTS = {"start_new_session", "pass_fds", "preexec_fn", "umask", "reuse_address"}
"""Arguments that Windows refuses or ignores, and one that lets two programs listen on the same port
there: without it, asyncio does what is right on each system."""

GUARDED = re.compile(r'sys\.platform (?:==|!=) "(?:win32|linux|darwin)"')


def files() -> list[Path]:
    """The Python files that run on Windows."""
    found: list[Path] = []
    for name in ON_WINDOWS:
        path = ROOT / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def unguarded(text: str) -> Iterator[str]:
    """The POSIX-only calls and arguments outside functions that look at the platform."""
    tree = ast.parse(text)
    guarded: set[int] = set()
    for node in ast.walk(tree):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if function and GUARDED.search(ast.get_source_segment(text, node) or ""):
            guarded |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in guarded or not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in ONLY_POSIX:
            yield f"line {node.lineno}: {node.func.attr}: {ONLY_POSIX[node.func.attr]}"
        for each in node.keywords:
            if each.arg in ARGUMENTS:
                yield f"line {node.lineno}: {each.arg}"


@pytest.mark.parametrize(
    "code",
    [
        "loop.add_signal_handler(signal.SIGINT, stop)",
        "subprocess.run(command, start_new_session=True)",
        "loop.create_server(factory, host, port, reuse_address=True)",
        'def f():\n    return sys.platform == "linux"\ndef g():\n    os.symlink(a, b)',
    ],
)
def test_the_scan_finds(code: str) -> None:
    """A call that nothing guards is found."""
    assert list(unguarded(code))


def test_nothing_needs_posix() -> None:
    """Each such call is in a function that asks for the platform first."""
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in files()
        if (lines := list(unguarded(path.read_text("utf-8"))))
    }
    assert found == {}


def test_text_files_have_an_encoding() -> None:
    """Windows would read and write them in its own code page."""
    wrong = {
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
        for path in files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if _needs_encoding(node)
    }
    assert wrong == set()


def _needs_encoding(call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    expected = {"read_text": 1, "write_text": 2}.get(call.func.attr)
    named = any(each.arg == "encoding" for each in call.keywords)
    return expected is not None and len(call.args) < expected and not named
