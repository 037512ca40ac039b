"""Pins what the packages of requirements.txt need in their turn: `python -m emulator.constraints`.

requirements.txt names constraints.txt, so every installation takes these versions: a new release of
a package that nobody chose changes neither a deployment nor a test.
"""

import re
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from emulator.site_packages import InstallError, install

ROOT = Path(__file__).parent.parent

HEADER = """\
# The versions of what the packages in requirements.txt need; `make constraints` writes this file.
"""


def canonical(name: str) -> str:
    """A package's name in the form that compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(requirements: str) -> set[str]:
    """The packages that a requirements file's text names itself, canonical."""
    names = re.findall(r"^[A-Za-z0-9][A-Za-z0-9._-]*", requirements, re.MULTILINE)
    return {canonical(name) for name in names}


def constraints(requirements: str, installed: Iterable[tuple[str, str]]) -> str:
    """The file's text: each installed package (name, version) that `requirements` does not name."""
    named = required(requirements)
    pins = {canonical(name): version for name, version in installed}
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items()) if name not in named]
    return HEADER + "".join(lines)


def resolve(requirements: str) -> list[tuple[str, str]]:
    """Every package (name, version) that pip installs today when no constraints hold.

    Raises:
        InstallError: pip finds no set of versions that fits.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file, packages = Path(scratch) / "requirements.txt", Path(scratch) / "packages"
        file.write_text(re.sub(r"^-c .*\n", "", requirements, flags=re.MULTILINE))
        install(file, packages)
        return [(each.name, each.version) for each in distributions(path=[str(packages)])]


def main() -> int:
    """The command: writes constraints.txt; exit status 1 when pip finds no versions."""
    requirements = (ROOT / "requirements.txt").read_text()
    try:
        text = constraints(requirements, resolve(requirements))
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    (ROOT / "constraints.txt").write_text(text)
    print(f"constraints.txt: {text.count('==')} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
