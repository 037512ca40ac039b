"""The rules of the workbench: who may import whom, who knows the app, and how long lines are."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.project import WORKBENCH
from tests.test_imports import PACKAGES, cycles, imports, kept_to_rules, name, nodes_of, within

PROJECTS = {
    "maintenance": {"bot_workbench"},
    "benchmarks": {"bot_workbench"},
    "bot_testing": {"bot_workbench"},
    "bot_workbench": set[str](),
}
"""What each of the workbench's packages imports of the others; none imports the tests."""

FLOORS: tuple[set[str], ...] = (
    {"__main__", "app", "emulator.old_bot"},
    {"command_line"},
    {"commands"},
    {"emulator.cloud"},
    {"emulator.local_azure", "emulator.teams"},
    {"emulator.bot_channel", "emulator.inspector", "emulator.seeds", "emulator.switches"},
    {
        "emulator.log_analytics",
        "emulator.pages",
        "emulator.services",
        "emulator.sites",
        "emulator.token_service",
    },
    {
        "emulator.channel",
        "emulator.functions",
        "emulator.graph",
        "emulator.key_vault",
        "emulator.language_model",
        "emulator.resource_manager",
        "emulator.storage",
    },
    {"emulator.entra", "emulator.recorder"},
    {"emulator.certificates", "emulator.feed", "emulator.network", "emulator.server"},
    {
        "emulator.cross_origin",
        "emulator.faults",
        "emulator.loopback",
        "emulator.terminal",
    },
    {"admin.app_package", "admin.deployment", "admin.doctor"},
    {"admin.migrate"},
    {"admin.plan"},
    {"admin.azure"},
    {"admin.console", "admin.exit_status", "admin.near_miss", "public_names"},
    {"setup"},
    {"emulator.child", "app_process", "app_folder"},
    {"credential_kinds", "file_lock", "funcignore", "project"},
)
"""The parts of bot_workbench, top to bottom. A part imports those below it, and none beside it.
`app` runs in a process of its own, as `emulator.old_bot` does: nobody imports them."""

APART = ("emulator", "admin")
"""Neither of these imports the other: what runs on this machine, and what works in Azure."""

KNOWS_APP = ("bot_workbench.app", "bot_testing", "benchmarks.streaming_bot")
"""What imports the app, one of them as a bot; everything else asks the app's process."""

BY_TEXT = {
    "bot_workbench.commands.import_app": "imports a package once, as Azure's worker does, in a"
    " process that has nothing else",
    "bot_workbench.public_names": "lists which of the base's names a bot may import",
    "bot_workbench.commands.package": "measures the start of a package, in such a process",
    "benchmarks.contestant": "starts a contestant, this project's app among them",
    "bot_workbench.emulator.functions.workers.program": "finds in sys.modules what the app has"
    " imported",
    "bot_workbench.emulator.recorder.recorder": "as the program of the workers",
    "bot_workbench.emulator.recorder.callers": "the same",
    "bot_workbench.emulator.recorder.queue_steps": "the same",
    "bot_workbench.emulator.recorder.turns": "the same",
}
"""Who has the name of one of the app's modules, or its import, in a text; and why."""

MAX_LINE = 100
BROWSER_CODE = {".css", ".js", ".mjs"}

_APP = "|".join(PACKAGES)
_APP_IN_TEXT = re.compile(
    rf"""
    ^(?:{_APP})(?:\.(?!py$)\w*)+$    # a module in a package, or the beginning of its name
    |^(?:function_app|composition)$  # a module; "auth" alone is a word
    |^\s*(?:from|import)\s+(?:{_APP})\b
    """,
    re.MULTILINE | re.VERBOSE,
)

FILES = {
    ".".join(file.relative_to(WORKBENCH).with_suffix("").parts).removesuffix(".__init__"): file
    for package in PROJECTS
    for file in sorted((WORKBENCH / package).rglob("*.py"))
}
"""By the module's dotted name."""

MODULES = frozenset(FILES)


def part_of(module: str) -> str:
    """The part of bot_workbench that a module is in: a child of it, or of a folder of parts."""
    names = module.split(".")[1:]
    return ".".join(names[: 2 if names[0] in APART else 1])


def arrows() -> Iterator[tuple[str, str]]:
    """Imports between two parts of bot_workbench: the importing module, and the imported one."""
    for module, file in FILES.items():
        for other in imports(file, MODULES) & MODULES:
            inside = module.startswith("bot_workbench.") and other.startswith("bot_workbench.")
            if inside and part_of(module) != part_of(other):
                yield module, other


def test_the_agents_sdk_is_the_bots_own() -> None:
    """A bot of another SDK runs, and is tested, without it: neither it nor the bridge is needed."""
    programs = {module: file for module, file in FILES.items() if not within(module, "benchmarks")}
    assert [
        (module, other)
        for module, file in programs.items()
        for other in imports(file)
        if within(other, "microsoft_agents") or within(other, "cloud_adapter.agents")
    ] == []


def test_every_part_has_a_floor() -> None:
    """A new part of the workbench is given its floor here; and none is there twice, or gone."""
    packages = {"bot_workbench", *(f"bot_workbench.{each}" for each in APART)}
    parts = {part_of(module) for module in MODULES - packages if within(module, "bot_workbench")}
    assert sorted(part for floor in FLOORS for part in floor) == sorted(parts)


def test_imports_go_down() -> None:
    """A part of bot_workbench imports those below it only."""
    number = {part: number for number, floor in enumerate(FLOORS) for part in floor}
    assert [
        (module, other)
        for module, other in arrows()
        if number[part_of(module)] >= number[part_of(other)]
    ] == []


def test_the_local_cloud_and_azure_are_apart() -> None:
    """No part of one imports a part of the other."""
    folders = [(module.split(".")[1], other.split(".")[1]) for module, other in arrows()]
    assert all((folder, folder) in folders for folder in APART)
    assert {*APART} not in [{*each} for each in folders]


@pytest.mark.parametrize("package", PROJECTS)
def test_a_package_works_without_those_above_it(package: str) -> None:
    """A wheel has no benchmarks and no tests; the command needs no test kit."""
    forbidden = {*PROJECTS, "tests"} - PROJECTS[package] - {package}
    wrong = {
        (module, other)
        for module, file in FILES.items()
        if within(module, package)
        for other in imports(file, MODULES)
        if other.partition(".")[0] in forbidden
    }
    assert wrong == set()


def test_who_imports_the_app() -> None:
    """Only they know its code; for all others, it is a process."""
    found = {
        module
        for module, file in FILES.items()
        for other in imports(file, MODULES)
        if other.partition(".")[0] in PACKAGES
    }
    wrong = {each for each in found if not any(within(each, known) for known in KNOWS_APP)}
    assert wrong == set()
    for known in KNOWS_APP:
        assert any(within(each, known) for each in found)


def test_no_text_imports_the_app() -> None:
    """Neither an import by name, nor a program in a text, but for those with a reason."""
    found = {
        module
        for module, file in FILES.items()
        if not any(within(module, known) for known in KNOWS_APP)
        for node in nodes_of(file)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if _APP_IN_TEXT.search(node.value)
    }
    assert found == set(BY_TEXT)


def test_no_two_files_import_each_other() -> None:
    """There is no import cycle, however long."""
    graph = {module: imports(file, MODULES) & MODULES for module, file in FILES.items()}
    assert cycles(graph) == set()


def test_imports_are_absolute() -> None:
    """Whoever reads an import sees where it leads."""
    relative = {
        module
        for module, file in FILES.items()
        for node in nodes_of(file)
        if isinstance(node, ast.ImportFrom) and node.level
    }
    assert relative == set()


@pytest.mark.parametrize("package", PROJECTS)
def test_no_installed_package_has_our_names(package: str) -> None:
    """The workbench is found by its path, which may be behind all that is installed."""
    elsewhere = [Path(entry) for entry in sys.path if Path(entry or ".").resolve() != WORKBENCH]
    assert not [folder for folder in elsewhere if (folder / package).exists()]


def test_lines_are_short() -> None:
    """A line of script or style has at most 100 characters; ruff holds Python's to the same."""
    code = [file for file in kept_to_rules() if file.suffix in BROWSER_CODE]
    assert code
    long = [
        f"{name(file)}:{number}"
        for file in code
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if len(line) > MAX_LINE
    ]
    assert long == []
