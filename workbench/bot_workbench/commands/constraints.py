"""`bot constraints`: pins what packages need in their turn.

requirements.txt includes constraints.txt and the bot's, so every installation uses these versions:
a new release of a transitive dependency changes neither a deployment nor a test. constraints.txt
also pins for the optional file, so that a bot that adds it needs no new pins; a bot's own file has
what its packages bring besides.

The list of azd's hooks, which pipelines install, too, is complete, for every system, and has the
hash of each file: what somebody puts into an index later is not installed.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.app_folder import BOT, bots_below
from bot_workbench.commands.site_packages import InstallError, install
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.requirements import (
    CONSTRAINTS,
    REQUIREMENTS,
    Line,
    RequirementsError,
    canonical,
    misfits,
    read,
)

OPTIONAL = "requirements-telemetry.txt"
"""A requirements file that a bot may add to its own with a line `-r`."""

BASE_HEADER = f"""\
# The transitive dependencies of {REQUIREMENTS} and {OPTIONAL}, pinned.
# `make constraints` writes this file.
"""

BOT_HEADER = """\
# What the bot's packages need besides the base's, pinned: `make constraints` writes this file.
"""

HOOKS = f"infra/hooks/{REQUIREMENTS}"
HOOKS_INPUT = f"infra/hooks/{Path(REQUIREMENTS).stem}.in"
"""Names without versions: those are the project's."""

TOOLS = "requirements-dev.txt"
"""Has the versions of what the hooks, the packaging and the doctor need."""

HOOKS_HEADER = f"""\
# What {HOOKS_INPUT} names, with all that it needs. azd installs it for its hooks, into
# a virtual environment of their own, and pipelines for the doctor. An older Python gets nothing, so
# that the hooks can say what they need, where pip would only find no versions for it.
# `make constraints` writes this file.
"""

_HOOKS_PYTHON = "3.13"
_ANY_PYTHON = "3.9"
"""Older than what the hooks need: uv leaves out the markers that every Python fits."""


def pin(root: Path, bots: Sequence[Path], *, upgrade: bool = False) -> Mapping[Path, str]:
    """What constraints.txt and those of some bots should be.

    A version that is pinned stays as long as it fits.

    Args:
        root: the app's folder.
        bots: the folders of the bots.
        upgrade: take the newest versions, whatever was pinned.

    Returns:
        The text of each file by its path.

    Raises:
        RequirementsError: a requirements file is missing, or a bot's does not fit the base's.
        InstallError: uv failed, for example because no set of versions is compatible.
    """

    def resolve_again(required: Sequence[Line], fixed: Sequence[str], file: Path) -> dict[str, str]:
        old = [line.text for line in read([file], [], root)] if file.exists() else []
        if old and not upgrade:
            try:
                return _resolve(required, [*fixed, *old])
            except InstallError as error:
                if "No solution found" not in str(error):
                    raise
                # One of the old versions does not fit any more.
        return _resolve(required, fixed)

    files = [root / REQUIREMENTS, root / OPTIONAL]
    whole = read(files, [], root)
    base = [line for line in whole if not line.is_constraint]
    named = {line.name for line in base}
    pins = _pins(resolve_again(base, [], root / CONSTRAINTS), named)
    texts = {root / CONSTRAINTS: _text(BASE_HEADER, pins)}
    known = named | {pin.partition("==")[0] for pin in pins}
    by_requirements: dict[tuple[str, ...], str] = {}
    for bot in bots:
        own = [line for line in read([bot / REQUIREMENTS], [bot], root) if not line.is_constraint]
        faults = list(misfits([*whole, *own]))
        if faults:
            raise RequirementsError("\n".join(faults))
        wanted = tuple(line.text for line in own)
        if wanted not in by_requirements:
            found = resolve_again([*base, *own], pins, bot / CONSTRAINTS) if wanted else {}
            by_requirements[wanted] = _text(
                BOT_HEADER, _pins(found, known | {line.name for line in own if line.version})
            )
        texts[bot / CONSTRAINTS] = by_requirements[wanted]
    return texts


def hooks_list(root: Path, pins: str, *, upgrade: bool = False) -> str:
    """What the list of azd's hooks should be.

    A version that is listed stays as long as it fits.

    Args:
        root: the app's folder.
        pins: the text of constraints.txt.
        upgrade: take the newest versions of what the project does not pin.

    Raises:
        RequirementsError: a requirements file is missing.
        InstallError: uv failed.
    """
    marker = f'; python_version >= "{_HOOKS_PYTHON}"'
    names = [line.text for line in read([root / HOOKS_INPUT], [], root)]
    tools = read([root / TOOLS], [], root)
    fixed = [line.text for line in tools if line.version and not line.is_constraint]
    with tempfile.TemporaryDirectory() as scratch:
        wanted, versions = Path(scratch) / "wanted.in", Path(scratch) / CONSTRAINTS
        listed = Path(scratch) / REQUIREMENTS
        wanted.write_text("\n".join(f"{name} {marker}" for name in names), "utf-8")
        versions.write_text("\n".join([pins, *fixed]), "utf-8")
        if (root / HOOKS).exists():
            shutil.copyfile(root / HOOKS, listed)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", str(wanted)),
                *("--constraints", str(versions), "--output-file", str(listed)),
                *("--universal", "--python-version", _ANY_PYTHON, "--generate-hashes"),
                *("--no-build", "--no-header", "--no-annotate", *["--upgrade"] * upgrade),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise InstallError(done.stderr.strip())
        return HOOKS_HEADER + listed.read_text("utf-8")


def _resolve(required: Sequence[Line], fixed: Sequence[str]) -> dict[str, str]:
    """The version of every package that is installed today, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        file, packages = Path(scratch) / REQUIREMENTS, Path(scratch) / "packages"
        (file.parent / CONSTRAINTS).write_text("\n".join(fixed), "utf-8")
        texts = dict.fromkeys(line.text for line in required)
        file.write_text("\n".join([f"-c {CONSTRAINTS}", *texts]), "utf-8")
        install(file, packages)
        return {canonical(each.name): each.version for each in distributions(path=[str(packages)])}


def _pins(installed: Mapping[str, str], omitted: set[str]) -> list[str]:
    return [
        f"{name}=={version}" for name, version in sorted(installed.items()) if name not in omitted
    ]


def _text(header: str, pins: Sequence[str]) -> str:
    return header + "".join(f"{each}\n" for each in pins)


def write(root: Path, *, upgrade: bool = False) -> None:
    """Write the constraints of the base, of the bot and of the examples, and the hooks' list.

    Args:
        root: the app's folder.
        upgrade: take the newest versions, whatever was pinned.

    Raises:
        RequirementsError: a requirements file is missing, or a bot's does not fit the base's.
        InstallError: uv failed; nothing was written.
    """
    texts = dict(pin(root, [root / BOT, *bots_below("examples", root)], upgrade=upgrade))
    texts[root / HOOKS] = hooks_list(root, texts[root / CONSTRAINTS], upgrade=upgrade)
    for file, text in texts.items():
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            print(f"{file.relative_to(root).as_posix()}: {text.count('==')} packages")


app = typer.Typer(add_completion=False)


@app.command("constraints")
def constraints(
    *,
    upgrade: Annotated[
        bool,
        typer.Option("--upgrade", metavar="", help="Take the newest versions instead."),
    ] = False,
) -> None:
    """Pin what the packages of the base, of the bot and of azd's hooks need.

    A version that is pinned stays as long as it fits.
    """
    try:
        write(APP, upgrade=upgrade)
    except (SetUpError, InstallError) as error:
        sys.exit(str(error))
