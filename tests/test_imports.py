"""The rules of the base: who may import whom; and how the repository's files are named.

They leave `bot_logic` and its tests alone: these are whatever the user puts there. The workbench
has rules of its own (workbench/tests/test_house.py).
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS: tuple[set[str], ...] = (
    {"function_app"},
    {"composition"},
    {"cloud_adapter.telemetry"},
    {"cloud_adapter.agents"},
    {"cloud_adapter.bot"},
    {"cloud_adapter.proactive", "cloud_adapter.reply", "cloud_adapter.skills"},
    {"cloud_adapter.message_stream"},
    {"cloud_adapter.adapter"},
    {"cloud_adapter.queued", "cloud_adapter.authentication"},
    {"cloud_adapter.worker_process"},
    {"cloud_adapter.invocation_log", "cloud_adapter.teams_info", "cloud_adapter.turn_context"},
    {"cloud_adapter.redaction"},
    {"cloud_adapter.state", "cloud_adapter.connector"},
    {"cloud_adapter.storage", "cloud_adapter.activities"},
    {"cloud_adapter.codec", "cloud_adapter.deadlines"},
    {"cloud_adapter.home_loop"},
    {"cloud_adapter.errors"},
    {"auth"},
    {"http_client"},
)
"""What is deployed, top to bottom. A floor imports what is below it, and nothing beside it."""

BOT = "bot_logic"
"""Stands beside the floors: it is loaded as a folder, and only its own tests import it."""

SAMPLE = "workbench/tests/sample/"
"""The workbench's tests of the sample bot, which are skipped where another bot is in its place."""

MAY_IMPORT: dict[str, set[str]] = {
    part: {part}.union(*FLOORS[number + 1 :])
    for number, floor in enumerate(FLOORS)
    for part in floor
}
"""The parts that each part may import."""

PACKAGES = ("function_app", "composition", "auth", "cloud_adapter", "http_client")
TOOLS = ("bot_workbench", "bot_testing", "benchmarks", "maintenance")
SDK = {"botbuilder", "botframework"}

FOREIGN: dict[str, set[str]] = {
    "function_app": {"azure.core", "azure.identity", "azure.keyvault", "azure.storage"},
    "composition": {"azure"},
    "auth": {"azure.functions", "azure.storage", *SDK},
    "cloud_adapter": {"azure"},
    "http_client": {"azure", *SDK},
}
"""What a package leaves to others: the host, the bot SDK, the credentials' clients. Nothing that is
deployed imports azure.storage, which requirements.txt does not have."""

ARGUED: dict[str, tuple[set[str], str]] = {
    "auth/bot_framework.py": (
        SDK,
        "a bot that stays on botbuilder's own adapter copies auth and http_client alone: the class"
        " that botbuilder asks for credentials is in what it copies",
    ),
    "cloud_adapter/bot/routes.py": (
        {"azure"},
        "the functions of a bot's routes.py are written with azure.functions",
    ),
    "cloud_adapter/telemetry/azure_monitor.py": (
        {"azure"},
        "Microsoft maintains the one exporter to Application Insights, which signs in by itself",
    ),
}
"""What one file imports that its package leaves to others, and why."""

READS_ENVIRONMENT = {"function_app.py", "composition.py"}

NOT_OUR_ERRORS = {
    "http_client.pool.ConnectFailed": "http_client is a leaf: it has Python's own errors",
    "http_client.pool.ResponseLost": "the same",
    "http_client.pool.ResponseTooLarge": "the same",
}


def files_of(package: str) -> list[Path]:
    """The Python files of a package, or of a module at the root; empty where there is none."""
    module = ROOT / f"{package}.py"
    return [module] if module.exists() else sorted((ROOT / package).rglob("*.py"))


DEPLOYED = [file for package in PACKAGES for file in files_of(package)]


def module_of(file: Path) -> str:
    """A file's dotted name; a package's is that of its folder."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = frozenset(map(module_of, DEPLOYED))


@cache
def nodes_of(file: Path) -> list[ast.AST]:
    """All nodes of a file's syntax tree."""
    return list(ast.walk(ast.parse(file.read_text("utf-8"))))


@cache
def imports(file: Path, modules: frozenset[str] = MODULES) -> frozenset[str]:
    """The modules that a file imports, within functions and for type checkers too.

    Args:
        file: the file.
        modules: what may be imported from a package by its name.
    """
    found: set[str] = set()
    for node in nodes_of(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & modules or {node.module}
    return frozenset(found)


def within(module: str, package: str) -> bool:
    """A module is a package, or in it."""
    return module == package or module.startswith(f"{package}.")


def part_of(module: str) -> str | None:
    """The part of the house that a module is in; None for what is not deployed."""
    return next((part for part in MAY_IMPORT if within(module, part)), None)


def name(file: Path) -> str:
    """A file as messages name it."""
    return file.relative_to(ROOT).as_posix()


def test_every_deployed_file_has_a_floor() -> None:
    """A new part of the house is given its floor here."""
    packages = {"cloud_adapter"}
    assert not {m for m in map(module_of, DEPLOYED) if part_of(m) is None} - packages


def test_imports_go_down() -> None:
    """A part imports those below it only: nothing above or beside it, and nothing not deployed."""
    wrong = {
        (name(file), module)
        for file in DEPLOYED
        if (part := part_of(module_of(file)))
        for module in imports(file)
        if module.partition(".")[0] in {*PACKAGES, *TOOLS, BOT, "tests"}
        if part_of(module) not in MAY_IMPORT[part]
    }
    assert wrong == set()


def test_no_deployed_file_names_the_workbench() -> None:
    """Not in a text either: neither an import by name, nor a command."""
    named = re.compile(r"\b(bot_workbench|bot_testing)\b")
    assert not [name(file) for file in DEPLOYED if named.search(file.read_text("utf-8"))]


def cycles(graph: Mapping[str, frozenset[str]]) -> set[str]:
    """The modules that import each other, however long the way.

    Args:
        graph: what each module imports.
    """
    left, found = dict(graph), set[str]()
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            first, second = error.args[1][:2]  # the second imports the first
            found |= {first, second}
            left[second] = left[second] - {first}
        else:
            return found


def test_no_two_files_import_each_other() -> None:
    """There is no import cycle, however long."""
    assert cycles({module_of(file): imports(file) & MODULES for file in DEPLOYED}) == set()


def test_imports_are_absolute() -> None:
    """Whoever reads an import sees where it leads."""
    relative = {
        name(file)
        for file in DEPLOYED
        for node in nodes_of(file)
        if isinstance(node, ast.ImportFrom) and node.level
    }
    assert relative == set()


def test_only_its_tests_import_the_bot() -> None:
    """The bot can be replaced, with its tests, and everything else still works."""
    others = [
        file
        for file in kept_to_rules()
        if file.suffix == ".py" and not name(file).startswith(SAMPLE)
    ]
    wrong = {name(file) for file in others for module in imports(file) if within(module, BOT)}
    assert wrong == set()


@pytest.mark.parametrize("package", FOREIGN)
def test_packages_leave_the_rest_to_others(package: str) -> None:
    """Only auth has Azure's clients, only function_app azure.functions, and http_client neither."""
    for file in files_of(package):
        allowed, _ = ARGUED.get(name(file), (set(), ""))
        for module in imports(file):
            foreign = {other for other in FOREIGN[package] if within(module, other)}
            assert foreign <= allowed, name(file)


def test_exceptions_are_needed() -> None:
    """A file that may import what its package leaves to others does so."""
    for file, (allowed, _) in ARGUED.items():
        used = {other for other in allowed for m in imports(ROOT / file) if within(m, other)}
        assert used, file


def test_environment_is_read_in_one_place() -> None:
    """Only the composition touches os.environ: everything else is given its settings."""
    readers = {name(file) for file in DEPLOYED if "environ" in _attributes_of_os(file)}
    assert readers
    assert readers <= READS_ENVIRONMENT


def _attributes_of_os(file: Path) -> set[str]:
    nodes = nodes_of(file)
    attributes = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    named = {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "os"
        for alias in node.names
    }
    return {text.replace("getenv", "environ") for text in attributes | named}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_installed_package_has_our_names(package: str) -> None:
    """The worker puts the app's folder last on sys.path: an installed namesake would win."""
    elsewhere = [Path(entry) for entry in sys.path if Path(entry or ".").resolve() != ROOT]
    assert not [
        folder
        for folder in elsewhere
        if (folder / package).exists() or (folder / f"{package}.py").exists()
    ]


@pytest.mark.extended  # imports the bridge to the Agents SDK, which needs that SDK
def test_one_tree_of_errors() -> None:
    """Every exception class of deployed code derives from BotError."""
    base = importlib.import_module("auth.errors").BotError
    strangers = {
        f"{module}.{found.__name__}"
        for module in map(module_of, DEPLOYED)
        for found in vars(importlib.import_module(module)).values()
        if isinstance(found, type) and found.__module__ == module
        if issubclass(found, BaseException) and not issubclass(found, base)
    }
    assert strangers - NOT_OUR_ERRORS.keys() == set()


def tracked() -> list[Path]:
    """The repository's files, those included that are not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def kept_to_rules() -> list[Path]:
    """The files that are the project's own, but for bots in the style of Microsoft's samples."""
    others = (f"{BOT}/", f"tests/{BOT}/", "tests/samples/bots/")
    return [file for file in tracked() if not name(file).startswith(others)]


def test_names_of_files_are_nouns() -> None:
    """No drawer for what has no place."""
    drawers = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc)(_|$)")
    assert not [name(file) for file in kept_to_rules() if drawers.search(file.stem)]
