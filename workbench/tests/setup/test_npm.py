"""What npm installs: with the real npm where it needs no registry, and else with one of a test."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot_workbench.setup.errors import SetUpError, WrongPackageError
from bot_workbench.setup.install_log import InstallLog
from bot_workbench.setup.npm import NpmBundle, NpmFile, NpmFiles, NpmLicenses, NpmPackages
from bot_workbench.setup.set_up import set_up
from bot_workbench.setup.step import SetUpStep

NPM = shutil.which("npm")
needs_npm = pytest.mark.skipif(NPM is None, reason="npm is not installed")


@pytest.fixture
def log(tmp_path: Path) -> InstallLog:
    """A log of the test's own."""
    return InstallLog(tmp_path / "step.log")


def files(folder: Path, *wanted: NpmFile) -> NpmFiles:
    """A step that takes files into a folder."""
    return NpmFiles("The pages' libraries", folder, wanted, "There is no chat page.")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Sequence[NpmFile]:
    """A file each of two packages, whose scripts must not be run."""
    found = []
    for name in ("small", "other"):
        source = tmp_path_factory.mktemp(name)
        (source / "dist").mkdir()
        (source / "dist" / "it.min.js").write_text(f"window.{name} = {{}};\n", "utf-8")
        (source / "dist" / "not.js").write_text("not wanted\n", "utf-8")
        manifest = {"name": name, "version": "1.0.0", "scripts": {"prepack": "exit 1"}}
        manifest |= {"license": "MIT", "author": "Somebody"}
        (source / "package.json").write_text(json.dumps(manifest), "utf-8")
        if name == "small":
            (source / "LICENSE").write_text("Anybody may use it.\n", "utf-8")
            (source / "dist" / "it.min.js.LICENSE.txt").write_text("Or that.\n", "utf-8")
        packed = tmp_path_factory.mktemp("packed")
        command = [str(NPM), "pack", str(source), "--ignore-scripts"]
        subprocess.run(command, cwd=packed, check=True, capture_output=True)
        (tarball,) = packed.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        found.append(NpmFile(f"{name}.js", str(source), "dist/it.min.js", f"sha512-{digest}"))
    return found


@needs_npm
def test_single_files(libraries: Sequence[NpmFile], tmp_path: Path, log: InstallLog) -> None:
    """One npm fetches all that are missing; only the files are kept."""
    step = files(tmp_path / "pages", *libraries)
    assert not step.is_done()
    step.run(lambda _: None, log)
    assert step.is_done()
    names = {path.name for path in step.folder.iterdir()}
    assert names == {"small.js", "small.js.ready", "other.js", "other.js.ready"}
    assert (step.folder / "small.js").read_text("utf-8") == "window.small = {};\n"
    assert (step.folder / "other.js").read_text("utf-8") == "window.other = {};\n"
    assert log.file.read_text("utf-8").count("$ ") == 1


@needs_npm
def test_only_what_is_missing_is_fetched(
    libraries: Sequence[NpmFile], tmp_path: Path, log: InstallLog
) -> None:
    """A file of an interrupted set-up is not trusted; the others need not even be reachable."""
    first, other = libraries
    files(tmp_path, first).run(lambda _: None, log)
    (tmp_path / "other.js").write_text("half of", "utf-8")
    files(tmp_path, first, other).run(lambda _: None, log)
    assert (tmp_path / "other.js").read_text("utf-8") == "window.other = {};\n"
    _, last = log.file.read_text("utf-8").rsplit("$ ", 1)
    assert other.package in last
    assert first.package not in last
    assert not files(tmp_path, replace(first, member="dist/not.js")).is_done()


@needs_npm
def test_a_folder(libraries: Sequence[NpmFile], tmp_path: Path, log: InstallLog) -> None:
    """All that a package has there, under another name."""
    step = files(tmp_path, replace(libraries[1], name="all", member="dist"))
    step.run(lambda _: None, log)
    assert step.is_done()
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert names - {log.file.name} == {"all", "all/it.min.js", "all/not.js", "all.ready"}


@needs_npm
def test_what_a_package_does_not_have(
    libraries: Sequence[NpmFile], tmp_path: Path, log: InstallLog
) -> None:
    """A file that is not in it is no file that is installed."""
    step = files(tmp_path, replace(libraries[0], member="dist/it"))
    with pytest.raises(WrongPackageError, match="dist/it is not in"):
        step.run(lambda _: None, log)
    assert not step.is_done()


@needs_npm
def test_licenses(libraries: Sequence[NpmFile], tmp_path: Path, log: InstallLog) -> None:
    """A package's own, and those of what is bundled in it; without any, what package.json says."""
    packages = [each.package for each in libraries]
    step = NpmLicenses("The licenses", tmp_path / "it" / "licenses.txt", packages, "None.")
    assert not step.is_done()
    step.run(lambda _: None, log)
    assert step.is_done()
    rule = "=" * 80
    assert step.file.read_text("utf-8") == (
        f"{rule}\nother 1.0.0 (MIT)\nSomebody\n\n"
        f"{rule}\nsmall 1.0.0 (MIT)\nSomebody\n\nAnybody may use it.\n\nOr that.\n"
    )
    assert {path.name for path in step.file.parent.iterdir()} == {".ready", "licenses.txt"}


@needs_npm
def test_another_package_is_refused(
    libraries: Sequence[NpmFile], tmp_path: Path, log: InstallLog
) -> None:
    """One without the pinned digest is not unpacked."""
    wrong = replace(libraries[0], integrity="sha512-another")
    with pytest.raises(WrongPackageError, match="npm config get registry"):
        files(tmp_path / "pages", wrong).run(lambda _: None, log)
    assert not (tmp_path / "pages").exists()


@needs_npm
def test_a_failing_npm_is_quoted(tmp_path: Path, log: InstallLog) -> None:
    """An unknown package is one line, which names the file with the rest."""
    wanted = NpmFile("it.js", str(tmp_path / "missing.tgz"), "it.js", "")
    with pytest.raises(SetUpError) as caught:
        files(tmp_path / "pages", wanted).run(lambda _: None, log)
    said = str(caught.value)
    assert said.startswith("The pages' libraries cannot be installed: enoent ENOENT: no such file")
    assert said.endswith(f". npm's output: {log} There is no chat page.")


BUNDLE = r"""
case "$*" in
*install*)
    cp package.json "$0.manifest"
    mkdir -p node_modules/@scope/tool/node_modules/small
    echo '{"name": "@scope/tool", "version": "1.2.3"}' >node_modules/@scope/tool/package.json
    cd node_modules/@scope/tool/node_modules/small
    echo '{"name": "small", "version": "1.0.0", "license": "MIT"}' >package.json
    echo "Anybody may use it." >LICENSE
    ;;
*exec*)
    ! test -e "$0.broken" && echo "$@" >tool.js
    echo '{"inputs": {"nothing/index.js": {}, "node_modules/@scope/tool/main.js": {},
        "node_modules/@scope/tool/node_modules/small/src/deep/it.js": {},
        "node_modules/@scope/tool/node_modules/small/index.js": {}}}' >inputs.json
    test -e tool.js
    ;;
esac
"""
"""An npm that bundles its own arguments."""

BUNDLED = {"tool.js", "licenses.txt", ".ready"}
"""What stays."""

FAILS = 'echo "$@" >>"$0.called"; exit 1'


def fake_npm(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts an npm of the test's own on PATH."""
    program = folder / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{code}", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


def bundle(folder: Path) -> NpmBundle:
    """A step that bundles a program."""
    return NpmBundle(
        "A tool",
        folder / "tool.js",
        package="@scope/tool@1.2.3",
        entry="main.js",
        bundler="esbuild@0.1.0",
        unused=["big"],
        optional=["absent"],
        without="It is missing.",
    )


def test_a_program_in_one_file(
    tmp_path: Path, log: InstallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is left; what the program does not use is not fetched."""
    npm = fake_npm(tmp_path, BUNDLE, monkeypatch)
    step = bundle(tmp_path / "tool")
    (tmp_path / "tool" / "scratch" / "node_modules").mkdir(parents=True)  # of a killed run
    step.run(lambda _: None, log)
    assert step.is_done()
    assert {path.name for path in step.file.parent.iterdir()} == BUNDLED
    assert step.file.with_name("licenses.txt").read_text("utf-8") == (
        f"{'=' * 80}\n@scope/tool 1.2.3 (None)\n\n"
        f"{'=' * 80}\nsmall 1.0.0 (MIT)\n\nAnybody may use it.\n"
    )
    assert "node_modules/@scope/tool/main.js" in step.file.read_text("utf-8")
    assert "--external:absent" in step.file.read_text("utf-8")
    assert json.loads(Path(f"{npm}.manifest").read_text("utf-8")) == {
        "private": True,
        "dependencies": {"@scope/tool": "1.2.3", "esbuild": "0.1.0"},
        "overrides": {"big": "file:./nothing"},
    }


def test_a_bundle_that_fails(
    tmp_path: Path, log: InstallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its packages are removed; the bundle of an earlier version still works."""
    npm = fake_npm(tmp_path, BUNDLE, monkeypatch)
    step = bundle(tmp_path / "tool")
    step.run(lambda _: None, log)
    Path(f"{npm}.broken").touch()
    newer = replace(step, package="@scope/tool@2.0.0")
    with pytest.raises(SetUpError, match="A tool cannot be installed"):
        newer.run(lambda _: None, log)
    assert not newer.is_done()
    assert {path.name for path in step.file.parent.iterdir()} == BUNDLED


def steps(folder: Path) -> list[SetUpStep]:
    """One of each kind."""
    wanted = NpmFile("small.js", "small@1.0.0", "small.js", "")
    tool = NpmPackages("A tool", folder / "packages", ["tool@1"], "It is missing.")
    licenses = NpmLicenses("Licenses", folder / "it.txt", ["small@1.0.0"], "There are none.")
    return [files(folder / "pages", wanted), tool, bundle(folder / "bundle"), licenses]


def test_npm_gives_up_soon_and_runs_no_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself it takes 70 seconds to notice that there is no network."""
    npm = fake_npm(tmp_path, FAILS, monkeypatch)
    set_up(steps(tmp_path), io.StringIO(), tmp_path)
    called = Path(f"{npm}.called").read_text("utf-8").splitlines()
    assert len(called) == 4
    for option in ("--fetch-retry-maxtimeout=", "--ignore-scripts"):
        assert all(option in line for line in called)


def test_without_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install, before anything is done."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetUpError) as refused:
        set_up(steps(tmp_path), stream := io.StringIO(), tmp_path)
    assert str(refused.value) == (
        "Missing: node, npm. Install Node.js 20 or newer, with npm (https://nodejs.org), then run"
        " the command again."
    )
    assert stream.getvalue() == ""
    assert list(tmp_path.iterdir()) == []
