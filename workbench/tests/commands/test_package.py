"""The package contains only what runs in Azure, with compiled files that stay valid."""

import importlib.util
import marshal
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from types import CodeType

import pytest
from packaging.requirements import Requirement

from bot_workbench.app_folder import BOT
from bot_workbench.commands import package
from bot_workbench.commands.imports import SITE_PACKAGES
from bot_workbench.commands.outgoing import PackageError
from bot_workbench.commands.package import contents
from bot_workbench.commands.site_packages import InstallError
from bot_workbench.funcignore import FuncIgnore
from bot_workbench.setup.requirements import RequirementsError, canonical, read
from maintenance.constraints import HOOKS
from tests.maintenance.test_constraints import needed, pins
from tests.support.project import ROOT

UNCHECKED_HASH = 0b01
"""The flags of a .pyc file that Python never checks against its source (PEP 552)."""


def sources(folder: Path) -> Iterator[Path]:
    """The Python files of a package."""
    return (path for path in contents(folder) if path.suffix == ".py")


def file_names(code: CodeType) -> set[str]:
    """The file names in a code object and in those nested in it."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return {code.co_filename}.union(*map(file_names, inner))


def test_the_app_and_its_packages(uploaded: Path, packed: Path) -> None:
    """It contains the files that .funcignore allows and every pinned package, and no others."""
    allowed = set(FuncIgnore((uploaded / ".funcignore").read_text()).files(uploaded))
    files = {path.relative_to(packed) for path in contents(packed)}
    own = {path for path in files if path.parts[0] != SITE_PACKAGES.parts[0]}
    added = {Path(package.PACKAGE_HASH), Path(".funcignore")}
    assert {path for path in own if path.suffix != ".pyc"} == allowed | added
    found = {
        f"{each.name}=={each.version}" for each in distributions(path=[str(packed / SITE_PACKAGES)])
    }
    normal = {each.lower().replace("_", "-") for each in found}
    direct = set(pins("requirements.txt"))
    assert direct <= normal
    assert {each.partition("==")[0] for each in normal} == needed([*map(Requirement, direct)])
    assert normal - direct <= set(pins("constraints.txt"))
    assert not (packed / SITE_PACKAGES / "bin").exists()


def test_all_of_it_is_compiled(packed: Path) -> None:
    """Each source has a .pyc file that is used unchecked and holds no path of this machine."""
    for source in sources(packed):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        content = compiled.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER, source
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH, source
        code = marshal.loads(content[16:])  # noqa: S302  # compiled by this test run
        assert file_names(code) == {str(source.relative_to(packed))}


def test_the_zip_is_the_folder(packed: Path) -> None:
    """Both hold the same files, but for the folder's .funcignore; the zip is any machine's."""
    with zipfile.ZipFile(packed.with_name("package.zip")) as archive:
        files = {entry.filename: entry for entry in archive.infolist()}
        in_folder = [path.relative_to(packed).as_posix() for path in contents(packed)]
        assert list(files) == sorted({*in_folder} - {".funcignore"})
        assert {entry.create_system for entry in files.values()} == {3}
        assert {entry.date_time for entry in files.values()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in files.values()} == {0o100644}
        name = "auth/clouds.py"
        assert archive.read(name) == (packed / name).read_bytes()


def test_azd_and_func_upload_the_folder_as_it_is(packed: Path) -> None:
    """Its .funcignore names no file, and is there: without it azd drops what is compiled."""
    lines = (packed / ".funcignore").read_text().splitlines()
    assert [line[0] for line in lines] == ["#"]


def test_the_hash_says_which_build_it_is(packed: Path, tmp_path: Path) -> None:
    """It is that of paths and contents: the same in the folder and in the zip, and no other's."""
    text = (packed / package.PACKAGE_HASH).read_text()
    assert re.fullmatch(r"[0-9a-f]{64}\n", text)
    folder = tmp_path / "from_zip"
    with zipfile.ZipFile(packed.with_name("package.zip")) as archive:
        archive.extractall(folder)
    assert package.hash_of(folder) == text.strip()
    (folder / "host.json").rename(folder / "host2.json")
    assert package.hash_of(folder) != text.strip()


def test_times_do_not_matter(packed: Path) -> None:
    """The compiled file is used whatever the modification time of its source."""
    for name in ("auth/clouds.py", str(SITE_PACKAGES / "msrest" / "version.py")):
        os.utime(packed / name, (1, 1))
    output = subprocess.run(
        [sys.executable, "-P", "-S", "-v", "-c", "import auth.clouds, msrest.version"],
        env={"PYTHONPATH": os.pathsep.join((str(packed / SITE_PACKAGES), str(packed)))},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    for name in ("auth/__pycache__/clouds.", "msrest/__pycache__/version."):
        used = [
            line
            for line in output.splitlines()
            if line.startswith("# code object") and name in line
        ]
        assert len(used) == 1


def copy(uploaded: Path, folder: Path) -> Path:
    """An app to change."""
    shutil.copytree(uploaded, folder / "source")
    return folder / "source"


def test_two_builds_at_once(uploaded: Path, tmp_path: Path) -> None:
    """azd ends without the hook that builds; the next build leaves what it writes alone."""
    target = tmp_path / "package"

    def install(_requirements: Path, _target: Path) -> None:
        with pytest.raises(PackageError, match="is being built by another process"):
            package.build(uploaded, target, not_reached)
        raise InstallError("the first goes on")

    with pytest.raises(InstallError, match="the first goes on"):
        package.build(uploaded, target, install)


def test_nothing_is_left_of_an_older_package(uploaded: Path, tmp_path: Path) -> None:
    """After a refusal there is neither folder nor zip, of this build or of one before."""
    target, archive = tmp_path / "package", tmp_path / "package.zip"
    source = copy(uploaded, tmp_path)

    def install(_requirements: Path, _target: Path) -> None:
        assert target.exists()
        raise InstallError("no matching distribution")

    for text in ("AccountKey=" + "A" * 86, "nothing"):
        (source / BOT / "key.txt").write_text(text)
        target.mkdir()
        (target / "old.py").touch()
        archive.touch()
        with pytest.raises((PackageError, InstallError), match=r"key\.txt|no matching"):
            package.build(source, target, install)
        assert not target.exists()
        assert not archive.exists()


def test_another_python_or_machine(uploaded: Path, packed: Path, tmp_path: Path) -> None:
    """Another Python compiles nothing, and says what that costs; the app is not imported."""
    source = copy(uploaded, tmp_path)
    (source / BOT / "routes.py").write_text("raise LookupError('imported')")
    (source / BOT / "venv").mkdir()
    (source / BOT / "venv" / "a.py").touch()
    (source / BOT / "model.onnx").touch()

    def install(_requirements: Path, target: Path) -> None:
        shutil.copytree(packed / SITE_PACKAGES, target, ignore=shutil.ignore_patterns("*.pyc"))

    def built(version: tuple[int, int], machine: tuple[str, str]) -> tuple[str, set[str]]:
        notes = package.build(source, tmp_path / "package", install, version, machine)
        assert len(notes) == 3 + (version != (3, 13))
        return "\n".join(notes), {path.suffix for path in contents(tmp_path / "package")}

    notes, kinds = built((3, 14), ("linux", "x86_64"))
    assert ".pyc" not in kinds
    assert f"{BOT}/venv is not in the package: it belongs to a tool" in notes
    assert f"{BOT}/model.onnx is not in the package: .funcignore has no lines" in notes
    assert "not Python 3.13: each cold start compiles what it imports, and takes 840 ms" in notes
    assert f"{BOT}/routes.py was not checked" in notes
    for machine in (("win32", "AMD64"), ("linux", "aarch64"), ("darwin", "x86_64")):
        notes, kinds = built((3, 13), machine)
        assert ".pyc" in kinds
        assert "compile" not in notes
    page = (ROOT / "docs" / "deploy-by-hand.md").read_text()
    assert all(f"| {time} ms |" in page for time in (270, 840))


def test_it_needs_what_a_hook_of_azd_has(tmp_path: Path) -> None:
    """The hooks' list, and pip as in every environment; processes may import the program again.

    Windows and macOS start processes so.
    """
    only = tmp_path / "only"
    only.mkdir()
    listed = {"pip", *(line.name for line in read([ROOT / HOOKS], []))}
    for name, owners in packages_distributions().items():
        spec = importlib.util.find_spec(name)
        if listed & {*map(canonical, owners)} and spec and spec.origin and spec.origin != "frozen":
            file = Path(spec.origin)
            found = file.parent if file.name == "__init__.py" else file
            (only / found.name).symlink_to(found)
    program = tmp_path / "program.py"
    program.write_text(
        f"import multiprocessing, runpy, sys\nsys.path += ['{ROOT / 'workbench'}', '{only}']\n"
        "if __name__ == '__main__':\n    multiprocessing.set_start_method('spawn')\n"
        "    runpy.run_module('bot_workbench', run_name='__main__', alter_sys=True)\n"
    )
    target = tmp_path / "package"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program), "package", "--to", str(target), "--no-measure"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert f"hash of its contents: {package.hash_of(target)}" in done.stdout
    assert "ready for a first turn" not in done.stdout
    assert any(path.suffix == ".pyc" for path in contents(target))


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the package cannot be built, the reason is shown and the exit status is 1."""

    def install(_requirements: Path, _target: Path) -> None:
        raise InstallError("no matching distribution")

    monkeypatch.setattr(package, "install", install)
    with pytest.raises(SystemExit, match="no matching distribution"):
        package.package(tmp_path / "package", measure=False)


def test_packages_that_do_not_fit_are_refused(uploaded: Path, tmp_path: Path) -> None:
    """The bot's requirements are compared with the base's before uv runs."""
    source = tmp_path / "source"
    shutil.copytree(uploaded, source)
    requirements = source / "bot_logic" / "requirements.txt"
    requirements.write_text("# from before\nbotbuilder-core==4.17.0\n")
    with pytest.raises(PackageError, match=r"bot_logic/requirements\.txt:2: botbuilder-core"):
        package.build(source, tmp_path / "package", install=not_reached)
    requirements.unlink()
    with pytest.raises(RequirementsError, match=r"bot_logic/requirements\.txt is missing"):
        package.build(source, tmp_path / "package", install=not_reached)


def test_import_times(packed: Path) -> None:
    """In the package alone, function_app's import is measured, then all that a first turn needs."""
    indexed, composed = package.import_times(packed, runs=1)
    assert 0 < indexed < composed


def not_reached(_requirements: Path, _target: Path) -> None:
    """Stands for the installation, before which the package is refused."""
    raise AssertionError


def test_a_bot_that_needs_settings(tmp_path: Path) -> None:
    """The package is built; the command says why it cannot say how quickly it starts."""
    (tmp_path / "function_app.py").write_text('raise ValueError("The setting Menu is missing")')
    assert package.start_of(tmp_path).endswith(": ValueError: The setting Menu is missing")
