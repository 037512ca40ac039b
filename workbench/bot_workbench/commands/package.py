"""`bot package`: what runs in Azure, as a folder and as a zip.

It replaces the build in Azure: it copies the files that .funcignore allows, installs their
dependencies into .python_packages, imports the app once, and compiles everything. azd uploads the
folder, and so does `func azure functionapp publish --no-build`; a pipeline hands the zip on.
"""

import compileall
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Annotated

import typer

from bot_workbench.app_folder import BOT
from bot_workbench.commands.imports import (
    SETTINGS,
    SITE_PACKAGES,
    check_by_import,
    check_by_reading,
)
from bot_workbench.commands.outgoing import FUNCIGNORE, PackageError, outgoing
from bot_workbench.commands.site_packages import PYTHON_VERSION, Install, InstallError, install
from bot_workbench.file_lock import FileLock
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.requirements import REQUIREMENTS, canonical, misfits, read

AZURE = ("linux", "x86_64")
"""Azure's system and machine, as `sys.platform` and `platform.machine()` name them."""

PACKAGE_HASH = "package.sha256"
"""The file at the package's root that says which build it is: see `hash_of`."""

NOTES = ".notes"
"""In place of the zip's suffix: the file with what the build had to say, which azd hides."""

KEEP_COMPILED = "# With this file, azd uploads the folder as it is: without it, no compiled file.\n"
"""The .funcignore of the folder; azd and func do not upload it."""

UNCOMPILED = (
    "There are no compiled files, because these fit one version of Python, and this is not Python"
    " {wanted}: each cold start compiles what it imports, and takes 840 ms in place of 270"
    " (docs/deploy-by-hand.md). With Python {wanted}, the package has them."
)

MEASURED_RUNS = 5
_MEASURE = """
import gc, json, sys, time
gc.disable()  # as the app does while it starts
sys.path += sys.argv[1:]
started = time.perf_counter()
import function_app
indexed = time.perf_counter()
import asyncio  # not before: function_app imports it
asyncio.run(function_app.composition.ready())
print(json.dumps([indexed - started, time.perf_counter() - started]))
"""


def build(
    source: Path,
    target: Path,
    install: Install = install,
    python_version: tuple[int, ...] = sys.version_info[:2],
    machine: tuple[str, str] = (sys.platform, platform.machine()),
) -> list[str]:
    """Build the package of the app in `source` as the folder `target`, and as a zip beside it.

    Args:
        source: the folder of function_app.py.
        target: is replaced; if there is an error, neither it nor the zip is there.
        install: installs the packages of requirements.txt.
        python_version: of the Python that runs this.
        machine: on which this runs, as `AZURE`.

    Returns:
        Sentences on what is not in the package, or was not checked.

    Raises:
        PackageError: the package would contain what may not go out, the bot's packages do not fit
            the base's, the app cannot be imported, a function in its routes.py is wrong, or
            another process builds it at this moment.
        RequirementsError: a requirements file is missing.
        InstallError: the packages cannot be installed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # azd ends after Ctrl-C without the hook that builds.
    with FileLock(target.with_name(f"{target.name}.lock")) as lock:
        if not lock.taken():
            raise PackageError(
                f"{target} is being built by another process: run this again once that has ended,"
                " in some seconds."
            )
        _remove(target)
        try:
            return _build(source, target, install, python_version, machine)
        except BaseException:
            _remove(target)
            raise


def archive_of(folder: Path) -> Path:
    """The zip of a package."""
    return folder.with_name(f"{folder.name}.zip")


def _remove(target: Path) -> None:
    archive_of(target).unlink(missing_ok=True)
    archive_of(target).with_suffix(NOTES).unlink(missing_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _build(
    source: Path,
    target: Path,
    install: Install,
    python_version: tuple[int, ...],
    machine: tuple[str, str],
) -> list[str]:
    going = outgoing(source)
    lines = read([source / REQUIREMENTS], [source / BOT], source)
    if faults := list(misfits(lines)):
        raise PackageError("\n".join(faults))
    for path in going.files:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)
    install(target / REQUIREMENTS, target / SITE_PACKAGES)
    named = {line.name for line in lines if not line.is_constraint}
    for marker in (target / SITE_PACKAGES).glob("*.dist-info/REQUESTED"):
        # uv writes it for every package, where the file means those that somebody named (PEP 376).
        if canonical(marker.parent.name.partition("-")[0]) not in named:
            marker.unlink()
    notes = [
        f"{path.as_posix()} is not in the package: it belongs to a tool." for path in going.left_out
    ]
    notes += (
        f"{path.as_posix()} is not in the package: {FUNCIGNORE} has no lines for files of its kind."
        for path in going.unknown
    )
    is_azures = python_version == PYTHON_VERSION
    can_import = is_azures and machine == AZURE
    notes += check_by_import(target) if can_import else check_by_reading(target)
    if is_azures:
        _compile(target)
    else:
        notes.append(UNCOMPILED.format(wanted=".".join(map(str, PYTHON_VERSION))))
    (target / PACKAGE_HASH).write_text(f"{hash_of(target)}\n", "utf-8", newline="\n")
    _zip(target)
    (target / FUNCIGNORE).write_text(KEEP_COMPILED, "utf-8")
    said = "".join(
        f"{line}\n" for line in [(target / PACKAGE_HASH).read_text("utf-8").strip(), *notes]
    )
    archive_of(target).with_suffix(NOTES).write_text(said, "utf-8")
    return notes


def _compile(folder: Path) -> None:
    # Unchecked, because a package is read-only and only ever replaced as a whole. Python's usual
    # check compares modification times, which the zip does not keep; a check by hash would read
    # every source file at each cold start.
    compileall.compile_dir(
        folder,
        maxlevels=100,
        quiet=2,
        workers=0,
        stripdir=str(folder),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def hash_of(folder: Path) -> str:
    """The hash of a package's contents: SHA-256 over the path and the SHA-256 of each file."""
    whole = hashlib.sha256()
    for path in contents(folder):
        name = path.relative_to(folder).as_posix()
        if name not in (PACKAGE_HASH, FUNCIGNORE):
            whole.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n".encode())
    return whole.hexdigest()


def _zip(folder: Path) -> None:
    """Zip a folder; the same files make the same zip, on any machine and at any time."""
    with zipfile.ZipFile(archive_of(folder), "w", zipfile.ZIP_DEFLATED) as packed:
        for path in contents(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.create_system = 3  # Unix, whose permissions these are
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def contents(folder: Path) -> Iterator[Path]:
    """A package's files, sorted by path."""
    paths = sorted(folder.rglob("*"), key=Path.as_posix)
    return (path for path in paths if path.is_file())


def import_times(folder: Path, runs: int = MEASURED_RUNS) -> tuple[float, float]:
    """Seconds until a new process has imported function_app, and all that a first turn needs.

    Args:
        folder: the package.
        runs: the fastest of so many counts.
    """
    measured = []
    for _ in range(runs):
        done = subprocess.run(
            # Isolated, so that nothing but the package's own modules is measured.
            [sys.executable, "-I", "-S", "-c", _MEASURE, str(folder / SITE_PACKAGES), str(folder)],
            env=SETTINGS,
            check=True,
            capture_output=True,
            text=True,
        )
        measured.append(json.loads(done.stdout))
    indexed, composed = (min(times) for times in zip(*measured, strict=True))
    return indexed, composed


def start_of(folder: Path) -> str:
    """The time that a package takes to start, or why that cannot be measured, in lines.

    A bot that needs settings of its own does not start without them.
    """
    try:
        indexed, composed = import_times(folder)
    except subprocess.CalledProcessError as error:
        found = re.search(r"^[\w.]+: .+", error.stderr.partition("Traceback")[2], re.MULTILINE)
        why = found[0] if found else error.stderr
        return f"Import times are not measured, because the bot does not start here: {why}"
    return (
        f"import of function_app: {indexed * 1000:.0f} ms\n"
        f"ready for a first turn: {composed * 1000:.0f} ms"
    )


ToOption = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="The package's folder; the zip is beside it.")
]
MeasureOption = Annotated[
    bool,
    typer.Option(
        "--measure/--no-measure", help="Also measure how long the app takes to start, on Linux."
    ),
]

app = typer.Typer(add_completion=False)


@app.command("package")
def package(to: ToOption = APP / "artifacts" / "package", *, measure: MeasureOption = True) -> None:
    """Build what runs in Azure, as a folder and as a zip, and check it.

    azd's hooks and pipelines upload it, and `func azure functionapp
    publish --no-build` does from its folder.
    """
    try:
        notes = build(APP, to, install)
    except (PackageError, SetUpError, InstallError, OSError) as error:
        sys.exit(str(error))
    sizes = [path.stat().st_size for path in contents(to)]
    print(f"{to}: {sum(sizes) / 1e6:.1f} MB in {len(sizes):,} files")
    print(f"{archive_of(to)}: {archive_of(to).stat().st_size / 1e6:.1f} MB")
    print(f"hash of its contents: {(to / PACKAGE_HASH).read_text('utf-8').strip()}")
    print(*notes, sep="\n", end="\n" if notes else "")
    if measure and (sys.platform, platform.machine()) == AZURE:
        print(start_of(to))
    elif measure:
        print("Import times are measured on Linux x86_64 only.")
