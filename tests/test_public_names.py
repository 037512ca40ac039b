"""What a bot may import: the SDKs, packages of its own, and of the base only its public names.

This holds for the sample bot and the examples, with their tests, and for the documentation's blocks
of Python. Everything else in the base may be renamed.
"""

import ast
import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import bot_testing
from tests.test_imports import BOT, PACKAGES, ROOT, SDK, files_of, name, nodes_of, within

PUBLIC = {
    ("cloud_adapter.bot.services", "BotServices"): "what create_bot gets, and what `ready` returns",
    ("auth.bot_framework", "credentials_factory"): "signs in a bot on botbuilder's own adapter",
    ("auth.errors", "SettingsError"): "what it raises, with every problem of the settings",
}
"""The base's public names, each with its module, and what a bot needs it for."""

ROUTES = "routes.py"
HOST = "azure.functions"
"""Only functions that stand beside the base's own are written with it."""

OF_TESTS = {("bot_testing", each) for each in bot_testing.__all__}

EXAMPLES = ROOT / "examples"
TESTS = ROOT / "tests" / BOT
FILES = [*files_of(BOT), *sorted(TESTS.rglob("*.py")), *sorted(EXAMPLES.rglob("*.py"))]

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^ *```python\n(.*?)^ *```", re.M | re.S)
IMPORT = re.compile(r"^ *(?:from ([\w.]+) import (.+)|import ([\w.]+))", re.M)

Import = tuple[str, str]
"""A module, and the name that is imported from it; empty: the module itself."""


def imports_in(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    """What is imported, but for what is imported relative to the file."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)


def imports_of(file: Path) -> set[Import]:
    """What a file imports, within functions and for type checkers too."""
    return set(imports_in(nodes_of(file)))


def folder_of(file: Path) -> Path:
    """The folder of the bot that a file belongs to."""
    if not file.is_relative_to(EXAMPLES):
        return ROOT / BOT
    return next(
        folder
        for folder in file.parents
        if folder.parent == EXAMPLES or (folder / "requirements.txt").exists()
    )


@cache
def own_packages(folder: Path) -> frozenset[str]:
    """The top-level modules of the packages that a bot's requirements.txt names."""
    file = folder / "requirements.txt"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    named = {re.split(r"[\s=<>~!;\[#]", line)[0].lower().replace("_", "-") for line in lines}
    return frozenset(
        module
        for module, found in packages_distributions().items()
        if named & {each.lower().replace("_", "-") for each in found}
    )


def may_import(file: Path, module: str, imported: str) -> bool:
    """Whether a file of a bot, or of its tests, may have this import."""
    folder, top = folder_of(file), module.partition(".")[0]
    if top in PACKAGES:
        return (module, imported) in PUBLIC
    if within(module, HOST):
        return file.name == ROUTES
    if file.is_relative_to(TESTS) or file.name.startswith("test_"):
        if top == "bot_testing":
            return (module, imported) in OF_TESTS
        if top == "pytest" or within(module, ".".join(folder.relative_to(ROOT).parts)):
            return True
    is_own = (folder / f"{top}.py").exists() or (folder / top).is_dir()
    return is_own or top in {BOT, *SDK, *sys.stdlib_module_names, *own_packages(folder)}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_bot_imports_public_names(file: Path) -> None:
    """The SDKs, azure.functions in routes.py, the base's public names, and what is its own."""
    assert {each for each in imports_of(file) if not may_import(file, *each)} == set()


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("bot_logic/bot.py", "import cloud_adapter"),
        ("bot_logic/bot.py", "import cloud_adapter.bot.services"),
        ("bot_logic/bot.py", "from cloud_adapter.bot import services"),
        ("bot_logic/bot.py", "from cloud_adapter.bot.services import STORAGE"),
        ("bot_logic/bot.py", "import azure.functions"),
        ("bot_logic/routes.py", "from azure.storage.blob import BlobClient"),
        ("bot_logic/bot.py", "import pytest"),
        ("bot_logic/bot.py", "from bot_testing import Chat"),
        ("bot_logic/bot.py", "import aiohttp"),
        ("tests/bot_logic/test_bot.py", "from bot_testing.chat import Chat"),
        ("tests/bot_logic/test_bot.py", "import bot_workbench"),
        ("tests/bot_logic/test_bot.py", "from tests.support.project import ROOT"),
        ("examples/echo/bot.py", "import aiohttp"),
        ("examples/files/bot.py", "import msal"),
        ("examples/echo/test_echo.py", "import examples.files.bot"),
    ],
)
def test_what_is_refused(file: str, line: str) -> None:
    """A module of the base, and what is not for bots, or not for this file."""
    [found] = imports_in(ast.parse(line).body)
    assert not may_import(ROOT / file, *found)


def test_public_names_are_used() -> None:
    """A bot or an example imports each of them."""
    assert PUBLIC.keys() <= {each for file in FILES for each in imports_of(file)}


@pytest.mark.parametrize(("module", "public"), PUBLIC)
def test_public_names_are_there(module: str, public: str) -> None:
    """A public name exists, where the table says, and a page mentions it."""
    found = getattr(importlib.import_module(module), public)
    assert found.__module__ == module
    assert any(re.search(rf"\b{public}\b", page.read_text("utf-8")) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_import_public_names(page: Path) -> None:
    """A page's blocks of Python import nothing else of the base."""
    found = [
        (module or whole, imported.strip(" ()"))
        for block in BLOCK.findall(page.read_text("utf-8"))
        for module, names, whole in IMPORT.findall(block)
        for imported in names.split(",")
    ]
    of_base = {each for each in found if each[0].partition(".")[0] in PACKAGES}
    assert of_base <= PUBLIC.keys()
