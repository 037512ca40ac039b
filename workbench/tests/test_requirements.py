"""What the tests import is installed by the command that runs them.

Imports are read, not run, and compared with the packages that a requirements file names and with
all that these need: what else is installed on this machine makes no difference.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.requirements import canonical, read
from maintenance.tools import ALL_TESTS, TESTS
from tests.support.extended import is_extended
from tests.support.project import ROOT

pytestmark = pytest.mark.extended  # reads what the installed packages need

ROOTS = (ROOT, ROOT / "workbench")
FIRST_PARTY = {path.stem for root in ROOTS for path in root.iterdir()}
"""The names of the project's own modules and packages, and of what tests import beside them."""

ELSEWHERE = ("tests/samples/bots/", "tests/agents/bots/")
"""Bots in the style of Microsoft's samples, whose modules stand in their own folders."""


def imported_by_pytest() -> Iterator[Path]:
    """The files that pytest imports: tests, and what is beside them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        is_test = re.search(r"(^|/)(test_[^/]+|conftest)\.py$", name)
        if is_test and (ROOT / name).is_file() and not name.startswith(ELSEWHERE):
            yield ROOT / name


@cache
def own_file(module: str) -> Path | None:
    """The file of one of the project's own modules."""
    for root in ROOTS:
        path = root / module.replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def own_files(name: str) -> Set[Path]:
    """The project's own modules that importing a name imports: its packages, too."""
    parts = name.split(".")
    files = (own_file(".".join(parts[:length])) for length in range(1, len(parts) + 1))
    return frozenset(filter(None, files))


@cache
def imports(file: Path, *, in_functions: bool) -> Sequence[str]:
    """The modules that a file imports, and the names that it takes of them: `package.name`.

    Left out are imports for type checkers, those that may fail, and those of extended tests.

    Args:
        file: the file.
        in_functions: count those in functions, too.
    """
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = " ".join(map(ast.unparse, node.decorator_list))
            if not in_functions or "extended" in marks:
                return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Try) and any(
            each.type and "Error" in ast.unparse(each.type) for each in node.handlers
        ):
            return
        if isinstance(node, ast.Import):
            found.extend(each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.extend(f"{node.module}.{each.name}" for each in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text("utf-8")))
    return found


def packages(file: Path) -> Mapping[str, Path]:
    """The modules of other projects that importing a test's file imports, with who imports each."""
    found: dict[str, Path] = {}
    seen, waiting = {file}, [file]
    while waiting:
        importer = waiting.pop()
        for name in imports(importer, in_functions=importer == file):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names:
                continue
            if top not in FIRST_PARTY:
                found.setdefault(name, importer)
                continue
            new = own_files(name) - seen
            seen |= new
            waiting += new
    return found


@cache
def owners() -> Mapping[str, str]:
    """The distribution of each installed module, by the module's name."""
    return {
        re.sub(r"(/__init__)?(\.[\w-]+)?\.(py|so)$", "", str(file)).replace("/", "."): canonical(
            each.name
        )
        for each in distributions()
        for file in each.files or ()
        if file.suffix in (".py", ".so") and ".dist-info" not in str(file)
    }


@cache
def owner(name: str) -> str:
    """The distribution that has a module, or a name of a module; empty if none is known."""
    parts = name.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((owners()[each] for each in names if each in owners()), "")


def installed_by(step: PythonPackages) -> set[str]:
    """The distributions that a requirements file names, and all that they need."""
    found: set[tuple[str, str]] = set()
    waiting = [
        Requirement(line.text.partition(" --")[0])
        for line in read(step.files, step.bots)
        if line.name and not line.is_constraint
    ]
    waiting.append(Requirement("bot-workbench"))  # an editable line of requirements-dev.txt
    while waiting:
        wanted = waiting.pop()
        name = canonical(wanted.name)
        for extra in ("", *wanted.extras):
            if (name, extra) in found:
                continue
            found.add((name, extra))
            try:
                requires = distribution(name).requires or ()
            except PackageNotFoundError:  # a marker leaves it out on this system
                continue
            needed = map(Requirement, requires)
            waiting += [
                each for each in needed if not each.marker or each.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in found}


@pytest.mark.parametrize(
    ("step", "command"), [(TESTS, "make test"), (ALL_TESTS, "make test ALL=1")]
)
def test_packages_of_the_tests(step: PythonPackages, command: str) -> None:
    """A file whose packages `make test` does not install is extended; ALL=1 installs the rest."""
    installed = installed_by(step)
    missing = [
        f"{file.relative_to(ROOT)}: {importer.relative_to(ROOT)} imports {name},"
        f" which `{command}` does not install"
        for file in imported_by_pytest()
        if command != "make test" or not is_extended(file)
        for name, importer in packages(file).items()
        if owner(name) not in installed
    ]
    assert missing == []
