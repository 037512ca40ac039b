"""Reads requirements files as pip does, with a bot's own in place of those of `bot_logic`.

As a program it prints what in a bot's files does not fit the base's: pip would try for a while, and
not say in which file.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.app_folder import BOT
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError

REQUIREMENTS, CONSTRAINTS = "requirements.txt", "constraints.txt"
"""The files of a bot's folder: the packages that it needs, and the versions of what these need."""

PROJECT = "pyproject.toml"
"""The files of a folder that is installed editable."""

_INCLUDE = re.compile(r"(?:-r|--requirement|(?P<constraint>-c|--constraint))[= ]?\s*(?P<path>.+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[= ]?\s*(?P<path>.+)")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?![A-Za-z0-9._-]|\+|:)")  # no URL
_VERSION = re.compile(r"(?<![=!~<>])==\s*(?P<version>[\w.!+-]+)\s*(?:;| --|$)")
_EMPTY = "it may be empty, if the bot needs no packages besides the base's"
_RESTORE = "restore it, or correct the line"
_ANOTHER_VERSION = 'delete its version, or see "Packages of your own" in docs/extend.md'


class RequirementsError(SetUpError):
    """The files cannot be installed as they are; each line of the text names a file and a cure."""


@dataclass(frozen=True)
class Line:
    """A line of a requirements file that says something of its own.

    Attributes:
        place: file and number, as people are shown them.
        text: a requirement or an option, without its comment.
        is_constraint: whether it only says which version is taken of what others require.
        bot: the folder of the bot that brings it; None: no bot does.
        is_base: whether it is deployed with every bot.
    """

    place: str
    text: str
    is_constraint: bool = False
    bot: Path | None = None
    is_base: bool = False

    @property
    def name(self) -> str:
        """The package's name, normalized for comparison (PEP 503); empty for an option."""
        found = _NAME.match(self.text)
        return canonical(found[1]) if found else ""

    @property
    def version(self) -> str:
        """The one version that the line allows; empty if it allows several."""
        found = _VERSION.search(self.text)
        return found["version"] if found else ""

    @property
    def project(self) -> str:
        """The folder, relative to the app's, of a project that the tools install editable.

        Empty for any other line. What a bot's own files name is pip's alone.
        """
        found = _EDITABLE.fullmatch(self.text)
        if found is None or self.bot is not None or "://" in self.text:
            return ""
        return found["path"].strip("\"'")


def canonical(name: str) -> str:
    """A package's name, normalized for comparison (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(files: Sequence[Path], bots: Sequence[Path], root: Path = APP) -> list[Line]:
    """The lines of requirements files, and of those that they include.

    Where several bots, or the tools, name a package, only the first one's lines about it count: a
    bot's version of a package is also the tools'.

    Args:
        files: absolute.
        bots: the folders of the bots whose files are read where requirements.txt includes those of
            `bot_logic`.
        root: the app's folder.

    Raises:
        RequirementsError: a file is missing, or is not text.
    """
    root, bots = root.resolve(), [bot.resolve() for bot in bots]
    base, own = {root / REQUIREMENTS, root / CONSTRAINTS}, root / BOT
    lines: list[Line] = []
    seen: set[tuple[Path, bool]] = set()

    def add(file: Path, is_constraint: bool, bot: Path | None, named_by: str = "") -> None:
        if (file, is_constraint) in seen:
            return
        seen.add((file, is_constraint))
        shown = (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()
        for number, text in _texts(file, shown, named_by):
            place = f"{shown}:{number}"
            include = _INCLUDE.fullmatch(text)
            if include is None or "://" in text:
                line = Line(place, text, is_constraint, bot, file in base)
                if line.project and not (root / line.project / PROJECT).is_file():
                    raise RequirementsError(
                        f"{place}: {line.project}/{PROJECT} is missing: {_RESTORE}"
                    )
                lines.append(line)
                continue
            is_fixed = is_constraint or bool(include["constraint"])
            named = (file.parent / include["path"].strip("\"'")).resolve()
            if named.parent == own:
                for each in bots:
                    # A bot that is not deployed from its folder needs no constraints.
                    if each == own or named.name == REQUIREMENTS or (each / named.name).exists():
                        add(each / named.name, is_fixed, each, place)
            else:
                add(named, is_fixed, bot, place)

    for file in map(Path.resolve, files):
        add(file, is_constraint=False, bot=file.parent if file.parent in bots else None)

    def rank(line: Line) -> int:
        return bots.index(line.bot) if line.bot else len(bots)

    first: dict[str, int] = {}
    for line in lines:
        if not line.is_base:
            first[line.name] = min(rank(line), first.get(line.name, len(bots)))
    return [
        each for each in lines if each.is_base or not each.name or rank(each) == first[each.name]
    ]


def misfits(lines: Sequence[Line]) -> Iterator[str]:
    """The requirements in the bots' files that do not fit, each with its file, line and cure.

    Raises:
        ImportError: this Python has no pip, whose comparison of versions it is.
    """
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement

    base = {line.name: line for line in lines if line.is_base and line.version}
    own = {(line.bot, line.name): line for line in lines if line.is_constraint}
    for line in lines:
        pin = base.get(line.name) or own.get((line.bot, line.name))
        if line.bot is None or pin is None:
            continue
        try:
            wanted = Requirement(line.text.partition(" --")[0])
        except InvalidRequirement:
            continue  # a path, or what pip refuses by itself
        if wanted.marker and not wanted.marker.evaluate():
            continue
        if not wanted.specifier.contains(pin.version, prereleases=True):
            is_stale = any(f"/{CONSTRAINTS}:" in each.place for each in (line, pin))
            cure = "run `make constraints`" if is_stale else _ANOTHER_VERSION
            yield f"{line.place}: {line.text} does not fit {pin.text} in {pin.place}: {cure}"


def _texts(file: Path, shown: str, named_by: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, by number.

    Raises:
        RequirementsError: the file is missing, or is not text.
    """
    prefix = f"{named_by}: " if named_by else ""
    try:
        whole = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        whole = "\0"
    except OSError as error:
        cure = _RESTORE
        if (file.parent / "__init__.py").is_file():
            is_written = file.name == CONSTRAINTS
            cure = "run `make constraints`" if is_written else f"create it; {_EMPTY}"
        raise RequirementsError(f"{prefix}{shown} is missing: {cure}") from error
    if "\0" in whole:  # where a line of UTF-16 was appended, too
        raise RequirementsError(
            f"{prefix}{shown} is not UTF-8: save it as UTF-8, which > and >> of Windows PowerShell"
            " do not do"
        )
    begun = ""
    for number, line in enumerate(whole.splitlines(), 1):
        if line.endswith("\\"):
            begun += f"{line[:-1]} "
            continue
        text = re.sub(r"(^|\s+)#.*", "", begun + line).strip()
        begun = ""
        if text:
            yield number, text


if __name__ == "__main__":
    # Files, then the bots' folders.
    given = [Path(each) for each in sys.argv[1:]]
    folders = [each for each in given if each.is_dir()]
    sys.exit("\n".join(misfits(read([each for each in given if each.is_file()], folders))) or 0)
