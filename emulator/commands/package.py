"""`python -m emulator.commands.package`: what runs in Azure, as a folder and as a zip.

It replaces the build in Azure: it copies the files that .funcignore allows, installs their
dependencies into .python_packages, and compiles everything. The folder has no .funcignore of its
own, so `func azure functionapp publish --no-build` uploads it as it is.
"""

import argparse
import compileall
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

from emulator.commands.app_folder import BOT
from emulator.commands.funcignore import FuncIgnore
from emulator.commands.site_packages import PYTHON_VERSION, Install, InstallError, install
from emulator.setup.errors import SetUpError
from emulator.setup.requirements import REQUIREMENTS, misfits, read

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where Azure's worker looks for the app's packages, in the app's folder."""

_KEY_MATERIAL = re.compile(
    r"\.env(\..*)?|.*\.(env|pem|pfx|p12|key)|\.git.*|local\.settings\.json"
    r"|secrets?\.(json|ya?ml|xml|txt|csv)",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


_SETTINGS = {
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppId": "00000000-0000-4000-8000-000000000000",
    "MicrosoftAppTenantId": "00000000-0000-4000-8000-000000000000",
}
_CHECK = """
import json, os, sys
sys.path[:0] = sys.argv[1:]
from emulator.functions.workers.worker import prepare_indexing
prepare_indexing()
import function_app
print("\\n" + json.dumps(list(function_app.route_faults)), flush=True)
os._exit(0)  # whatever the bot's threads and exit handlers would do
"""
_ALL_FUNCTIONS = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "BotTurns": "Queued"}
"""Settings with which the app has all functions that it can have."""

MEASURED_RUNS = 5
_MEASURE = """
import gc, json, sys, time
gc.disable()  # as the app does while it starts
sys.path += sys.argv[1:]
started = time.perf_counter()
import function_app
indexed = time.perf_counter()
function_app.composition.parts
print(json.dumps([indexed - started, time.perf_counter() - started]))
"""


class PackageError(Exception):
    """The package cannot be built; the message says what to do."""


def build(
    source: Path,
    target: Path,
    install: Install = install,
    python_version: tuple[int, ...] = sys.version_info[:2],
) -> Path:
    """Build the package of the app in `source` as the folder `target`, and as a zip beside it.

    Args:
        source: the folder of function_app.py.
        target: is replaced.
        install: installs the packages of requirements.txt.
        python_version: of the Python that compiles.

    Returns:
        The zip's path.

    Raises:
        PackageError: this is the wrong Python version, the package would contain key material, the
            bot's packages do not fit the base's, or a function in its routes.py is wrong.
        RequirementsError: a requirements file is missing.
        InstallError: the packages cannot be installed.
    """
    if python_version != PYTHON_VERSION:
        wanted = ".".join(map(str, PYTHON_VERSION))
        raise PackageError(f"Compiled files fit one Python version: run this with Python {wanted}.")
    shutil.rmtree(target, ignore_errors=True)
    for path in _app_files(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)
    faults = list(misfits(read([source / REQUIREMENTS], [source / BOT], source)))
    if faults:
        raise PackageError("\n".join(faults))
    if (target / BOT / "routes.py").exists():
        _check_routes(target)
    install(target / REQUIREMENTS, target / SITE_PACKAGES)
    # Unchecked, because a package is read-only and only ever replaced as a whole. Python's usual
    # check compares modification times, which the zip does not keep; a check by hash would read
    # every source file at each cold start.
    compileall.compile_dir(
        target,
        maxlevels=100,
        quiet=2,
        workers=0,
        stripdir=str(target),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    return _zipped(target)


def _app_files(source: Path) -> list[Path]:
    files = list(FuncIgnore((source / ".funcignore").read_text("utf-8")).files(source))
    keys = ", ".join(
        str(path)
        for path in files
        if _KEY_MATERIAL.fullmatch(path.name) or _PRIVATE_KEY.search((source / path).read_bytes())
    )
    if keys:
        raise PackageError(f"Key material would be uploaded, move it: {keys}")
    return files


def _check_routes(app: Path) -> None:
    """Import the app's functions as Azure's worker does, with the packages of this Python.

    Raises:
        PackageError: the app would leave some of them out, or cannot be imported.
    """
    done = subprocess.run(
        # -B: the package's own .pyc files are still to be written, in another form.
        [sys.executable, "-B", "-P", "-c", _CHECK, str(app), str(ROOT)],
        env={**os.environ, **_SETTINGS, **_ALL_FUNCTIONS},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not done.stdout:
        raise PackageError(f"The app cannot be imported:\n{done.stderr.strip()}")
    faults = json.loads(done.stdout.splitlines()[-1])
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise PackageError(f"{BOT}/routes.py: the app would run without these parts.\n{lines}")


def left_out(source: Path) -> list[Path]:
    """The bot's files that are not uploaded, because .funcignore has no lines for their kind."""
    bot = [path.relative_to(source) for path in contents(source / BOT)]
    uploaded = set(_app_files(source))
    return [path for path in bot if path not in uploaded and path.suffix != ".pyc"]


def _zipped(folder: Path) -> Path:
    """Zip a folder; the same files make the same zip, on any machine and at any time."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in contents(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
    return archive


def contents(folder: Path) -> Iterator[Path]:
    """A package's files, sorted by path."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


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
            env=_SETTINGS,
            check=True,
            capture_output=True,
            text=True,
        )
        measured.append(json.loads(done.stdout))
    indexed, composed = (min(times) for times in zip(*measured, strict=True))
    return indexed, composed


def _report(folder: Path, archive: Path) -> None:
    sizes = [path.stat().st_size for path in contents(folder)]
    print(f"{folder}: {sum(sizes) / 1e6:.1f} MB in {len(sizes):,} files")
    print(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB")
    for path in left_out(ROOT):
        print(f"{path} is not in the package: .funcignore has no lines for files of its kind.")
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        print("Import times are measured on Linux x86_64 only.")
        return
    indexed, composed = import_times(folder)
    print(f"import of function_app: {indexed * 1000:.0f} ms")
    print(f"ready for a first turn: {composed * 1000:.0f} ms")


def main(arguments: list[str], install: Install = install) -> int:
    """The command; the exit status is 1 if the package cannot be built."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator.commands.package", description=__doc__
    )
    parser.add_argument("--to", type=Path, default=ROOT / "artifacts" / "package", metavar="FOLDER")
    folder = parser.parse_args(arguments).to
    try:
        archive = build(ROOT, folder, install)
    except (PackageError, SetUpError, InstallError) as error:
        print(error, file=sys.stderr)
        return 1
    _report(folder, archive)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
