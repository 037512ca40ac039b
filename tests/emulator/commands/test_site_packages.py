"""install: the packages of a requirements file, for Azure's platform."""

import tarfile
from pathlib import Path

import pytest

from emulator.commands.site_packages import InstallError, install

BACKEND = """
import zipfile
from pathlib import Path

NAME = Path("name.txt").read_text()
TAG = Path("tag.txt").read_text()


def build_wheel(folder, *_):
    info = f"{NAME}-1.0.dist-info"
    wheel = f"{NAME}-1.0-{TAG}.whl"
    with zipfile.ZipFile(f"{folder}/{wheel}", "w") as archive:
        archive.writestr(f"{NAME}.py", "value = 1")
        archive.writestr(f"{info}/METADATA", Path("PKG-INFO").read_text())
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\\nTag: {TAG}\\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def sdist(folder: Path, name: str, tag: str) -> None:
    """Put a source distribution into a folder, whose wheel has this tag."""
    source = folder / f"{name}-1.0"
    source.mkdir()
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": PROJECT,
        "backend.py": BACKEND,
        "name.txt": name,
        "tag.txt": tag,
    }
    for file, content in files.items():
        (source / file).write_text(content)
    with tarfile.open(folder / f"{name}-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)


def requirements(folder: Path, *names: str) -> Path:
    """A requirements file whose packages are in that folder only."""
    lines = ["--no-index", f"--find-links {folder}", *(f"{name}==1.0" for name in names)]
    file = folder / "requirements.txt"
    file.write_text("\n".join(lines))
    return file


def test_a_package_without_a_wheel(tmp_path: Path) -> None:
    """It is built here if its wheel is for every platform."""
    sdist(tmp_path, "pure", "py3-none-any")
    install(requirements(tmp_path, "pure"), tmp_path / "target")
    assert (tmp_path / "target" / "pure.py").read_text() == "value = 1"


def test_a_package_that_is_built_for_this_machine(tmp_path: Path) -> None:
    """It is refused, because Azure could not load it."""
    sdist(tmp_path, "pure", "py3-none-any")
    sdist(tmp_path, "compiled", "cp313-cp313-linux_x86_64")
    with pytest.raises(InstallError, match="compiled"):
        install(requirements(tmp_path, "pure", "compiled"), tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_package_that_does_not_exist(tmp_path: Path) -> None:
    """The error is pip's."""
    with pytest.raises(InstallError, match="No matching distribution found for missing"):
        install(requirements(tmp_path, "missing"), tmp_path / "target")
