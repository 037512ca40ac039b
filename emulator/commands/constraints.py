"""Pins the transitive dependencies of the app: `python -m emulator.commands.constraints`.

requirements.txt includes constraints.txt, so every installation uses these versions: a new release
of a transitive dependency changes neither a deployment nor a test. Those of an optional file are
pinned too, so that an app that adds it needs no new constraints.
"""

import re
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from emulator.commands.site_packages import Install, InstallError, install

ROOT = Path(__file__).parents[2]

HEADER = """\
# The transitive dependencies of requirements.txt and requirements-telemetry.txt, pinned.
# `make constraints` writes this file.
"""

OPTIONAL = "requirements-telemetry.txt"
"""A requirements file that an app may add to requirements.txt with a line `-r`."""


def canonical(name: str) -> str:
    """A package's name, normalized for comparison (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(requirements: str) -> set[str]:
    """The canonical names of the packages that a requirements file lists."""
    names = re.findall(r"^[A-Za-z0-9][A-Za-z0-9._-]*", requirements, re.MULTILINE)
    return {canonical(name) for name in names}


def constraints(requirements: str, installed: Iterable[tuple[str, str]]) -> str:
    """The text of constraints.txt: a pin for each installed package that `requirements` omits.

    Args:
        requirements: the text of the requirements file.
        installed: name and version of each installed package.
    """
    named = required(requirements)
    pins = {canonical(name): version for name, version in installed}
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items()) if name not in named]
    return HEADER + "".join(lines)


def requirements_of(folder: Path) -> str:
    """The text of requirements.txt, with that of the optional file in it, named there or not."""
    lines = (folder / "requirements.txt").read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if line.split() != ["-r", OPTIONAL])
    optional = folder / OPTIONAL
    return f"{text}\n{optional.read_text('utf-8')}" if optional.exists() else text


def resolve(requirements: str, install: Install = install) -> list[tuple[str, str]]:
    """Name and version of every package that pip installs today without the constraints.

    Raises:
        InstallError: pip failed, for example because no set of versions is compatible.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file, packages = Path(scratch) / "requirements.txt", Path(scratch) / "packages"
        file.write_text(re.sub(r"^-c .*\n", "", requirements, flags=re.MULTILINE), "utf-8")
        install(file, packages)
        return [(each.name, each.version) for each in distributions(path=[str(packages)])]


def main(folder: Path = ROOT, install: Install = install) -> int:
    """The command: writes constraints.txt beside requirements.txt in `folder`.

    Returns:
        The exit status: 1 if pip fails.
    """
    requirements = requirements_of(folder)
    try:
        text = constraints(requirements, resolve(requirements, install))
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    (folder / "constraints.txt").write_text(text, "utf-8")
    print(f"constraints.txt: {text.count('==')} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
