"""`bot constraints`: pins what the bot's packages need in their turn.

requirements.txt includes constraints.txt, which is the base's, and the bot's. So every installation
uses these versions: a new release of a transitive dependency changes neither a deployment nor a
test. The base's also pins for its optional file, so that a bot that adds it needs no new pins; the
bot's has what its packages bring besides.
"""

import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.app_folder import BOT
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

HEADER = """\
# What the bot's packages need besides the base's, pinned: `make constraints` writes this file.
"""

UpgradeOption = Annotated[
    bool, typer.Option("--upgrade", metavar="", help="Take the newest versions instead.")
]


def pin_bots(
    root: Path, bots: Sequence[Path], base: Sequence[str], *, upgrade: bool = False
) -> Mapping[Path, str]:
    """The constraints.txt that some bots should have.

    A version that is pinned stays as long as it fits.

    Args:
        root: the app's folder.
        bots: the folders of the bots.
        base: the lines of the base's constraints.txt.
        upgrade: take the newest versions of what the base does not pin, whatever was pinned.

    Returns:
        The text of each file by its path.

    Raises:
        RequirementsError: a requirements file is missing, or a bot's does not fit the base's.
        InstallError: uv failed, for example because no set of versions is compatible.
    """
    whole = read([root / REQUIREMENTS, root / OPTIONAL], [], root)
    required = [line for line in whole if not line.is_constraint]
    known = {line.name for line in required} | {each.partition("==")[0] for each in base}
    texts: dict[Path, str] = {}
    by_requirements: dict[tuple[str, ...], str] = {}
    for bot in bots:
        own = [line for line in read([bot / REQUIREMENTS], [bot], root) if not line.is_constraint]
        faults = list(misfits([*whole, *own]))
        if faults:
            raise RequirementsError("\n".join(faults))
        wanted = tuple(line.text for line in own)
        if wanted not in by_requirements:
            file = bot / CONSTRAINTS
            found = resolve([*required, *own], base, file, upgrade=upgrade) if wanted else {}
            omitted = known | {line.name for line in own if line.version}
            by_requirements[wanted] = text_of(HEADER, pins_of(found, omitted))
        texts[bot / CONSTRAINTS] = by_requirements[wanted]
    return texts


def resolve(
    required: Sequence[Line], fixed: Sequence[str], file: Path, *, upgrade: bool
) -> Mapping[str, str]:
    """The version of every package that is needed, by its name.

    Args:
        required: what is needed.
        fixed: pins, which hold.
        file: has pins that hold if all of them fit, unless they are upgraded; it may be missing.
        upgrade: take the newest versions.

    Raises:
        InstallError: uv failed.
    """
    old = [line.text for line in read([file], [])] if file.exists() else []
    if old and not upgrade:
        try:
            return _resolve(required, [*fixed, *old])
        except InstallError as error:
            if "No solution found" not in str(error):
                raise
            # One of the old versions does not fit any more.
    return _resolve(required, fixed)


def _resolve(required: Sequence[Line], fixed: Sequence[str]) -> Mapping[str, str]:
    with tempfile.TemporaryDirectory() as scratch:
        file, packages = Path(scratch) / REQUIREMENTS, Path(scratch) / "packages"
        (file.parent / CONSTRAINTS).write_text("\n".join(fixed), "utf-8")
        texts = dict.fromkeys(line.text for line in required)
        file.write_text("\n".join([f"-c {CONSTRAINTS}", *texts]), "utf-8")
        install(file, packages)
        return {canonical(each.name): each.version for each in distributions(path=[str(packages)])}


def pins_of(versions: Mapping[str, str], omitted: Collection[str]) -> list[str]:
    """The lines that pin packages, without some."""
    return [
        f"{name}=={version}" for name, version in sorted(versions.items()) if name not in omitted
    ]


def text_of(header: str, lines: Sequence[str]) -> str:
    """A file's text."""
    return header + "".join(f"{each}\n" for each in lines)


def write(texts: Mapping[Path, str], root: Path) -> None:
    """Write the files that change, and say so.

    Args:
        texts: the text of each file by its path.
        root: the app's folder.
    """
    for file, text in texts.items():
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            count = text.count("==")
            print(f"{file.relative_to(root).as_posix()}: {count} package{'s' * (count != 1)}")


app = typer.Typer(add_completion=False)


@app.command("constraints")
def constraints(*, upgrade: UpgradeOption = False) -> None:
    """Pin what the bot's packages need besides the base's.

    A version that is pinned stays as long as it fits; the base's stay.
    """
    try:
        base = [line.text for line in read([APP / CONSTRAINTS], [])]
        write(pin_bots(APP, [APP / BOT], base, upgrade=upgrade), APP)
    except (SetUpError, InstallError) as error:
        sys.exit(str(error))
