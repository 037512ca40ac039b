"""The packages that these tests run with, for environments that have some of them only."""

from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def with_needs(names: Iterable[str]) -> set[str]:
    """Packages with all that they require on this machine, by canonical name."""
    found: set[str] = set()
    left = set(names)
    while left:
        name = left.pop()
        found.add(name)
        for text in distribution(name).requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                left |= {canonicalize_name(needed.name)} - found
    return found


def link_packages(names: Iterable[str], folder: Path) -> None:
    """Link packages, with all that they require, into a folder such as site-packages."""
    for name in with_needs(names):
        for top in {file.parts[0] for file in distribution(name).files or ()} - {".."}:
            _link(Path(str(distribution(name).locate_file(top))), folder / top)


def _link(source: Path, target: Path) -> None:
    """Link a package; of a namespace that several share, such as `azure`, what is in it."""
    if source.is_dir() and target.is_dir() and not target.is_symlink():
        for inner in source.iterdir():
            _link(inner, target / inner.name)
    elif source.name == "azure":
        target.mkdir()
        _link(source, target)
    elif not target.exists() and source.exists():
        target.symlink_to(source)
