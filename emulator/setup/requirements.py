"""Reads requirements files as pip does, with a bot's own in place of those of `bot_logic`.

As a program it prints what in a bot's files does not fit the base's: pip would try for a while, and
not say in which file.
"""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.setup.errors import SetUpError
from emulator.setup.install_log import ROOT

REQUIREMENTS, CONSTRAINTS = "requirements.txt", "constraints.txt"
"""What a bot's folder has: the packages that it needs, and the versions of what these need."""

_INCLUDE = re.compile(r"(?:-r|--requirement|(?P<constraint>-c|--constraint))[= ]\s*(?P<path>.+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EMPTY = "it may be empty, if the bot needs no packages beside the base's"
_ANOTHER_VERSION = 'see "Packages of your own" in docs/extend.md'


class RequirementsError(SetUpError):
    """The files cannot be installed as they are; each line of the text names a file and a cure."""


@dataclass(frozen=True)
class Line:
    """A line of a requirements file that says something of its own.

    Attributes:
        file: absolute.
        number: counts from 1.
        text: a requirement or an option, without its comment.
        is_constraint: whether it only says which version is taken of what others require.
    """

    file: Path
    number: int
    text: str
    is_constraint: bool = False

    def __str__(self) -> str:
        return f"{_shown(self.file)}:{self.number}"

    @property
    def name(self) -> str:
        """The package's name, normalized for comparison (PEP 503); empty for an option."""
        found = _NAME.match(self.text)
        return canonical(found[0]) if found else ""

    @property
    def version(self) -> str:
        """The one version that the line allows, if it names one."""
        return self.text.partition(";")[0].partition("==")[2].partition(" --")[0].strip()


def canonical(name: str) -> str:
    """A package's name, normalized for comparison (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(files: Sequence[Path], bots: Sequence[Path], root: Path = ROOT) -> list[Line]:
    """The lines of requirements files, and of those that they include.

    Args:
        files: absolute.
        bots: the folders of the bots whose files are read where `bot_logic`'s are included.
        root: the app's folder.

    Raises:
        RequirementsError: an included file is missing.
    """
    own = (root / "bot_logic").resolve()
    lines: list[Line] = []
    seen: set[tuple[Path, bool]] = set()

    def add(file: Path, is_constraint: bool) -> None:
        if (file, is_constraint) in seen:
            return
        seen.add((file, is_constraint))
        for line in _lines(file, is_constraint):
            include = _INCLUDE.fullmatch(line.text)
            if include is None:
                lines.append(line)
                continue
            named = (file.parent / shlex.split(include["path"])[0]).resolve()
            is_own = named.parent == own
            for place in [bot.resolve() / named.name for bot in bots] if is_own else [named]:
                if place.is_file():
                    add(place, is_constraint or bool(include["constraint"]))
                elif place == named or place.name == REQUIREMENTS:
                    # A bot that is not deployed from its folder needs no constraints.
                    raise RequirementsError(f"{line}: {_missing(place)}")

    for file in files:
        if not file.is_file():
            raise RequirementsError(_missing(file))
        add(file.resolve(), is_constraint=False)
    return lines


def misfits(lines: Sequence[Line], bots: Sequence[Path]) -> Iterator[str]:
    """What in the bots' files does not fit, each with its file, line and cure.

    Raises:
        ImportError: this Python has no pip, whose comparison of versions it is.
    """
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement

    folders = {bot.resolve() for bot in bots}
    own = [line for line in lines if line.file.parent in folders]
    pins = {line.name: line for line in own if line.is_constraint}
    pins |= {line.name: line for line in lines if line.version and line not in own}
    for line in own:
        pin = pins.get(line.name)
        if pin is None:
            continue
        try:
            wanted = Requirement(line.text.partition(" --")[0])
        except InvalidRequirement:
            continue  # a path, or what pip refuses by itself
        if wanted.marker and not wanted.marker.evaluate():
            continue
        if not wanted.specifier.contains(pin.version, prereleases=True):
            is_stale = line.is_constraint or pin in own
            cure = (
                "run `make constraints`" if is_stale else f"delete the line, or {_ANOTHER_VERSION}"
            )
            yield f"{line}: {line.text} does not fit {pin.text} in {pin}: {cure}"


def _lines(file: Path, is_constraint: bool) -> Iterator[Line]:
    begun = ""
    for number, text in enumerate(file.read_text("utf-8-sig").splitlines(), 1):
        if text.endswith("\\"):
            begun += f"{text[:-1]} "
            continue
        whole = re.sub(r"(^|\s+)#.*", "", begun + text).strip()
        begun = ""
        if whole:
            yield Line(file, number, whole, is_constraint)


def _missing(file: Path) -> str:
    cure = "restore it, or correct the line"
    if (file.parent / "__init__.py").is_file():
        is_written = file.name == CONSTRAINTS
        cure = "run `make constraints`" if is_written else f"create it; {_EMPTY}"
    return f"{_shown(file)} is missing: {cure}"


def _shown(file: Path) -> str:
    root = ROOT.resolve()
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:]]
    chosen = [each for each in given if each.is_dir()]
    found = read([each for each in given if each.is_file()], chosen)
    sys.exit("\n".join(misfits(found, chosen)) or 0)
