"""The constraints pin all transitive dependencies of the base and of bots, and nothing else."""

import re
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bot_workbench.app_folder import BOT, bots_below
from bot_workbench.commands.constraints import HEADER, OPTIONAL
from bot_workbench.commands.site_packages import InstallError
from bot_workbench.setup.requirements import canonical
from maintenance import constraints
from maintenance.constraints import (
    BASE_HEADER,
    HOOKS,
    HOOKS_HEADER,
    HOOKS_INPUT,
    TOOLS,
    base_pins,
    hooks_list,
    write_all,
)
from tests.commands.test_constraints import app_with_index
from tests.support.project import ROOT
from tests.support.wheels import wheel


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


def names(lines: list[Requirement]) -> set[str]:
    """The canonical names of requirements."""
    return {canonical(each.name) for each in lines}


def test_every_version_is_pinned() -> None:
    """Each transitive dependency is pinned, to the version that these tests run with."""
    base = [Requirement(line) for line in (*pins("requirements.txt"), *pins(OPTIONAL))]
    expected = sorted(f"{name}=={version(name)}" for name in needed(base) - names(base))
    assert sorted(pins("constraints.txt")) == expected, "run `make constraints`, then `make setup`"
    for bot in (ROOT / BOT, *bots_below("examples")):
        own = [Requirement(line) for line in pins(f"{bot.relative_to(ROOT)}/requirements.txt")]
        brought = needed(own) - names(own) - needed(base)
        expected = sorted(f"{name}=={version(name)}" for name in brought)
        assert sorted(pins(f"{bot.relative_to(ROOT)}/constraints.txt")) == expected


def test_every_bot_says_what_it_needs() -> None:
    """And what is copied into the place of bot_logic has its constraints, too."""
    files = [
        file
        for name in ("examples", "tests", "workbench")
        for file in (ROOT / name).rglob("__init__.py")
    ]
    bots = [file.parent for file in files if "def create_bot" in file.read_text("utf-8")]
    assert len(bots) > 20
    lacking = [bot for bot in (ROOT / BOT, *bots) if not (bot / "requirements.txt").exists()]
    assert lacking == []
    copied = [ROOT / BOT, *(bot for bot in bots if "examples" in bot.parts)]
    assert [bot for bot in copied if not (bot / "constraints.txt").exists()] == []


def test_the_requirements_include_the_constraints() -> None:
    """The pins apply to every installation: by hand, in Azure's build and by `make setup`."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert {"-c constraints.txt", f"-c {BOT}/constraints.txt", f"-r {BOT}/requirements.txt"} <= {
        *lines
    }
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base whose old pins are one that fits and one that nothing needs."""
    base = app_with_index(tmp_path, monkeypatch)
    (base / "constraints.txt").write_text("common==1\ngone==1\n")
    return base


def test_a_version_stays_as_long_as_it_fits(base: Path) -> None:
    """What is new is pinned at its newest version, what nothing needs any more goes."""
    assert base_pins(base) == ["common==1", "wire==2"]
    assert base_pins(base, upgrade=True) == ["common==2", "wire==2"]
    (base / "requirements.txt").write_text("-c constraints.txt\nbase==1\ncommon==2\n")
    assert base_pins(base) == ["wire==2"]


def test_bots_get_the_new_pins(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the base that are written with theirs; the list of the hooks, too."""
    example = base / "examples" / "one"
    example.mkdir(parents=True)
    (example / "__init__.py").write_text("def create_bot(services): ...")
    (example / "requirements.txt").write_text("mine\nwire\n")
    # What the list has of uv's is tested below.
    monkeypatch.setattr(constraints, "hooks_list", lambda _, pins, upgrade: f"{pins}{upgrade}")
    (base / "infra" / "hooks").mkdir(parents=True)
    write_all(base, upgrade=True)
    text = f"{BASE_HEADER}common==2\nwire==2\n"
    assert (base / "constraints.txt").read_text() == text
    assert (base / HOOKS).read_text() == f"{text}True"
    assert (base / BOT / "constraints.txt").read_text() == HEADER
    assert (example / "constraints.txt").read_text() == f"{HEADER}extra==2\nmine==2\n"


def test_no_versions_fit(base: Path) -> None:
    """If uv fails, nothing is written."""
    before = (base / "constraints.txt").read_text()
    (base / BOT / "requirements.txt").write_text("mine==1\nextra==2\n")
    with pytest.raises(InstallError, match="No solution found"):
        write_all(base)
    assert (base / "constraints.txt").read_text() == before
    assert not (base / BOT / "constraints.txt").exists()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose hooks need `base`, with packages for uv in place of those of the index."""
    index = tmp_path / "index"
    index.mkdir()
    for number in ("1", "2"):
        wheel(index, "base", number, needs="common")
        wheel(index, "common", number, needs="wire")
        wheel(index, "wire", number)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_NO_CACHE", "1")
    project = tmp_path / "project"
    for file, text in {
        HOOKS_INPUT: "# names\nbase\n",
        HOOKS: "wire==1\n",
        TOOLS: "-e ./tools\nbase==1\nanother==1\nfloating>=1\n",
        "tools/pyproject.toml": "",
    }.items():
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).write_text(text)
    return project


def test_the_list_of_the_hooks_is_complete(project: Path) -> None:
    """The project's versions, and of the rest those that were listed; all for Python 3.13."""
    text = hooks_list(project, "common==1\n")
    assert text.startswith(HOOKS_HEADER)
    lines = [line for line in text.splitlines() if line.startswith(("base", "common", "wire"))]
    marker = "; python_full_version >= '3.13' \\"
    assert lines == [f"{name}==1 {marker}" for name in ("base", "common", "wire")]
    assert text.count("    --hash=sha256:") == len(lines)
    assert "://" not in text
    assert str(project.parent) not in text
    assert f"wire==2 {marker}" in hooks_list(project, "common==1\n", upgrade=True)


def test_the_hooks_need_what_the_project_does_not_allow(project: Path) -> None:
    """The message is uv's."""
    (project / TOOLS).write_text("base==3\n")
    with pytest.raises(InstallError, match="no version of base"):
        hooks_list(project, "common==1\n")
