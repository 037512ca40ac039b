"""constraints.txt pins all transitive dependencies of a deployment, and nothing else."""

import re
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from emulator.commands import constraints
from emulator.commands.constraints import OPTIONAL, canonical, required
from emulator.commands.site_packages import InstallError
from tests.support.project import ROOT


def needed(requirements: list[Requirement]) -> set[str]:
    """The canonical names of requirements and all their dependencies, as installed here."""
    left, seen = list(requirements), set[tuple[str, str]]()
    while left:
        requirement = left.pop()
        name = canonical(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            found = map(Requirement, requires(name) or ())
            left += [
                each for each in found if not each.marker or each.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in seen}


def pins(file: str) -> list[str]:
    """The lines of a requirements file that pin a package."""
    return re.findall(r"^[A-Za-z0-9].*$", (ROOT / file).read_text(), re.MULTILINE)


def test_every_version_is_pinned() -> None:
    """Each transitive dependency is pinned, to the version that these tests run with."""
    direct = [Requirement(line) for line in (*pins("requirements.txt"), *pins(OPTIONAL))]
    names = needed(direct) - {canonical(each.name) for each in direct}
    expected = sorted(f"{name}=={version(name)}" for name in names)
    assert sorted(pins("constraints.txt")) == expected, "run `make constraints`, then `make setup`"


def test_the_requirements_include_the_constraints() -> None:
    """The pins apply to every installation: by hand, in Azure's build and by `make setup`."""
    assert "-c constraints.txt" in (ROOT / "requirements.txt").read_text().splitlines()
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()


def test_listed_packages_are_not_pinned_twice() -> None:
    """A package that requirements.txt lists gets its version there only."""
    installed = [("azure_core", "1.2"), ("MSAL", "1.3"), ("zope.interface", "7"), ("idna", "3")]
    text = constraints.constraints(
        "# what is here\n-c constraints.txt\nmsal==1.3\nIDNA\n", installed
    )
    assert text == f"{constraints.HEADER}azure-core==1.2\nzope-interface==7\n"
    assert required("-r other.txt\nA.B[extra]>=1\n") == {"a-b"}


@pytest.mark.parametrize("line", ["", f"-r {OPTIONAL}\n", f"-r  {OPTIONAL}"])
def test_the_optional_packages_are_pinned(line: str, tmp_path: Path) -> None:
    """The optional file's dependencies are pinned whether or not requirements.txt names it."""
    (tmp_path / "requirements.txt").write_text(f"a==1\n{line}")
    (tmp_path / OPTIONAL).write_text("b==2\n")

    def install(requirements: Path, target: Path) -> None:
        assert pip_lines(requirements.read_text()) == ["a==1", "b==2"]
        for name in ("a", "b", "c"):
            (target / f"{name}-3.dist-info").mkdir(parents=True)
            metadata = f"Name: {name}\nVersion: 3\n"
            (target / f"{name}-3.dist-info" / "METADATA").write_text(metadata)

    assert constraints.main(tmp_path, install) == 0
    assert (tmp_path / "constraints.txt").read_text() == f"{constraints.HEADER}c==3\n"


def pip_lines(requirements: str) -> list[str]:
    """The lines of a requirements file that pip does not skip."""
    return [line for line in requirements.splitlines() if line and not line.startswith("#")]


def test_old_pins_are_ignored() -> None:
    """New pins are resolved without the old ones."""
    seen = []

    def install(requirements: Path, target: Path) -> None:
        seen.append(requirements.read_text())
        (target / "found-1.5.dist-info").mkdir(parents=True)
        (target / "found-1.5.dist-info" / "METADATA").write_text("Name: found\nVersion: 1.5\n")

    assert constraints.resolve("# text\n-c constraints.txt\nfound\n", install) == [("found", "1.5")]
    assert seen == ["# text\nfound\n"]


def test_no_versions_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If pip fails, its message is shown and constraints.txt is not written."""

    def install(_requirements: Path, _target: Path) -> None:
        raise InstallError("ResolutionImpossible")

    (tmp_path / "requirements.txt").write_text("a\n")
    assert constraints.main(tmp_path, install) == 1
    assert "ResolutionImpossible" in capsys.readouterr().err
    assert not (tmp_path / "constraints.txt").exists()
