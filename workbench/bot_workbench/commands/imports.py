"""The check of a built package by importing its app or, where that cannot run, by reading it.

Both find a module that the bot imports and its requirements lack.
"""

import ast
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

from bot_workbench.app_folder import BOT
from bot_workbench.commands.outgoing import PackageError
from bot_workbench.project import WORKBENCH
from bot_workbench.public_names import cure_of_missing

SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where Azure's worker looks for the app's packages, in the app's folder."""

SETTINGS = {
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppId": "00000000-0000-4000-8000-000000000000",
    "MicrosoftAppTenantId": "00000000-0000-4000-8000-000000000000",
}
_ALL_FUNCTIONS = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "BotTurns": "Queued"}
"""Settings with which the app has all functions that it can have."""

IMPORT_SECONDS = 120
"""The time limit of the import, which takes a second."""

_IMPORT_APP = Path(__file__).with_name("import_app.py")
_WORKER = importlib.util.find_spec("azure_functions_runtime")

UNCHECKED_ROUTES = (
    f"{BOT}/routes.py was not checked: that needs Python 3.13 on Linux x86_64, where the app can be"
    " imported. What Azure refuses of it is left out there, and the log says so."
)
LENIENT_ROUTES = (
    f"{BOT}/routes.py was checked by the app's own rules only: Azure's worker library, which"
    " indexes each function on trial, is not installed here; `make package` has it."
)


def check_by_import(app: Path, worker: ModuleSpec | None = _WORKER) -> list[str]:
    """Import the app of a package and its bot, in a process with the package's modules alone.

    Args:
        app: the package's folder.
        worker: Azure's worker library; None: it is not installed.

    Returns:
        What was not checked.

    Raises:
        PackageError: it cannot be imported, or would leave out some of the bot's functions.
    """
    folders = [Path(worker.origin).parents[1], WORKBENCH] if worker and worker.origin else []
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch, "result")
        paths = [app.resolve(), app.resolve() / SITE_PACKAGES, result, *folders]
        try:
            done = subprocess.run(
                # -B: the package's compiled files are still to be written, in another form.
                [sys.executable, "-I", "-S", "-B", str(_IMPORT_APP), *map(str, paths)],
                env={**os.environ, **SETTINGS, **_ALL_FUNCTIONS},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=IMPORT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PackageError(
                f"The import of the app has not ended after {IMPORT_SECONDS} seconds: what {BOT}"
                " waits for when it is imported, it must not"
            ) from error
        if not result.exists():
            raise PackageError(
                f"The app cannot be imported: {BOT} ends the process, with exit status"
                f" {done.returncode}.\n{done.stderr[-2000:].strip()}".rstrip()
            )
        found = json.loads(result.read_text("utf-8"))
    if (missing := found.get("missing")) and missing.partition(".")[0] not in _own_names(app):
        # The import ends at the first; the others are read.
        by_name = missing_modules(app)
        if not any(f"{name}.".startswith(f"{missing}.") for name in by_name):
            by_name = {missing: found["place"], **by_name}
        raise PackageError(_lacking(by_name))
    if "error" in found:
        raise PackageError(f"The app cannot be imported:\n{found['error']}")
    if found["faults"]:
        lines = "\n".join(f"  {fault}" for fault in found["faults"])
        raise PackageError(f"{BOT}/routes.py: the app would run without these parts.\n{lines}")
    return [LENIENT_ROUTES] if (app / BOT / "routes.py").exists() and not folders else []


def check_by_reading(app: Path) -> list[str]:
    """Look for the modules that the bot of a package imports when it is imported.

    Returns:
        What was not checked.

    Raises:
        PackageError: a module is in none of the app's packages.
    """
    if by_name := missing_modules(app):
        raise PackageError(_lacking(by_name))
    return [UNCHECKED_ROUTES] if (app / BOT / "routes.py").exists() else []


def missing_modules(app: Path) -> Mapping[str, str]:
    """The modules that the bot imports and that the package lacks, each with a file and line.

    Only what every import of the bot executes counts: lines at the outermost level of its
    __init__.py and routes.py, and of the modules that they import. What stands within `try`, `if`
    or a function may never be imported.
    """
    missing: dict[str, str] = {}
    left, seen = [app / BOT / "__init__.py", app / BOT / "routes.py"], set[Path]()
    while left:
        file = left.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        for name, line in _imports(file, app):
            if name.partition(".")[0] in _own_names(app):
                left += _files(name, app)
            elif not _is_there(name, app / SITE_PACKAGES):
                missing.setdefault(name, f"{file.relative_to(app).as_posix()}:{line}")
    return missing


def _imports(file: Path, app: Path) -> Iterator[tuple[str, int]]:
    """The absolute names of what a module imports, and the lines."""
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:
        place = f"{file.relative_to(app).as_posix()}:{error.lineno}"
        raise PackageError(f"{place} is not Python: {error.msg}") from error
    package = file.parent.relative_to(app).parts
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module, node.lineno
            if module.partition(".")[0] in _own_names(app):  # a name may be a module
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def _own_names(app: Path) -> set[str]:
    """The names of the modules in the app's and the bot's folders, and of Python's own."""
    entries = [*app.iterdir(), *(app / BOT).iterdir()]
    own = {each.stem for each in entries if each.suffix == ".py" or each.is_dir()}
    return own | sys.stdlib_module_names


def _files(name: str, app: Path) -> Iterator[Path]:
    """Where a module of the app's may be, and the packages that it is in."""
    parts = name.split(".")
    for root in (app, app / BOT):
        for count in range(1, len(parts) + 1):
            path = root.joinpath(*parts[:count])
            yield from (path / "__init__.py", path.with_name(f"{path.name}.py"))


def _is_there(name: str, packages: Path) -> bool:
    """Whether installed packages have a module; what a package with code has in it, it decides."""
    folder = packages
    for part in name.split("."):
        if any(folder.glob(f"{part}.py")) or any(folder.glob(f"{part}.*so")):
            return True
        folder /= part
        if (folder / "__init__.py").exists():
            return True
        if not folder.is_dir():
            return False
    return True


def _lacking(by_name: Mapping[str, str]) -> str:
    return "\n".join(
        f"{place} imports {name}, which no requirement brings: {cure_of_missing(name)}"
        for name, place in sorted(by_name.items())
    )
