"""install: the packages of a requirements file, for Azure's platform."""

import tarfile
from pathlib import Path

import pytest

from bot_workbench.commands.site_packages import InstallError, install
from tests.support.wheels import wheel

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


@pytest.mark.parametrize("tag", ["cp313-cp313-linux_x86_64", "cp313-cp313-macosx_14_0_arm64"])
def test_a_package_that_is_built_for_this_machine(tag: str, tmp_path: Path) -> None:
    """It is refused, because Azure could not load it; the way out is Azure's own build."""
    sdist(tmp_path, "pure", "py3-none-any")
    sdist(tmp_path, "compiled", tag)
    with pytest.raises(InstallError, match=r"(?s)compiled.*`func azure functionapp publish APP`"):
        install(requirements(tmp_path, "pure", "compiled"), tmp_path / "target")


def test_markers_are_those_of_azure(tmp_path: Path) -> None:
    """What another system or another Python would need is not installed; what Linux needs is."""
    for name in ("both", "linux", "windows", "later"):
        wheel(tmp_path, name, "1.0")
    file = requirements(tmp_path, "both")
    lines = (
        *('linux==1.0; sys_platform == "linux"', 'windows==1.0; sys_platform == "win32"'),
        'later==1.0; python_version >= "3.14"',
    )
    file.write_text("\n".join([file.read_text(), *lines]))
    install(file, tmp_path / "target")
    assert {path.name for path in (tmp_path / "target").iterdir()} == {
        "both-1.0.dist-info",
        "linux-1.0.dist-info",
    }


@pytest.mark.parametrize("index", ["file:///nowhere", "http://127.0.0.1:9"])
def test_another_index(index: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where pip's index is another than uv's, the error says what uv needs."""
    file = tmp_path / "requirements.txt"
    file.write_text("missing==1.0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(InstallError, match=r"(?s)missing.*UV_DEFAULT_INDEX.*PIP_INDEX_URL"):
        install(file, tmp_path / "target")


def test_a_package_that_does_not_exist(tmp_path: Path) -> None:
    """The error is uv's."""
    with pytest.raises(InstallError, match="missing was not found"):
        install(requirements(tmp_path, "missing"), tmp_path / "target")
